//! Requests for one object, signed here: S3's address of it, and Signature Version 4 by the SDK's own crate.
//!
//! A client for all of S3 costs an instance that starts more than a small object does: it reads a list of all regions and
//! compiles their patterns, and takes each request through stages for buckets, sessions and checksums of kinds that we have
//! none of (docs/decisions.md, 71). What only fetches an object or makes a link needs none.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use almacen_aws_client::Aws;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningInstructions,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What does not stand in a URL as it is: all but unreserved characters (RFC 3986, 2.3).
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path the slash does.
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

type Failure = Box<dyn Error + Send + Sync>;

/// Where an object is, and who asks for it.
pub(crate) struct Object {
    url: String,
    region: String,
    credentials: Credentials,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Object {
    /// Asked for by this function.
    pub(crate) fn at(aws: &Aws, bucket: &str, key: &str) -> Result<Self, Failure> {
        let config = aws.config();
        let region = config.region().ok_or("there is no region")?.to_string();
        let credentials = aws.credentials().ok_or("there are no credentials")?.clone();
        Ok(Self { url: address(config.endpoint_url(), &region, bucket, key), region, credentials })
    }

    /// A request without a body, made at `at`: S3 takes it for a quarter of an hour.
    pub(crate) fn request(&self, method: &str, at: SystemTime) -> Result<HttpRequest, Failure> {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let signature = self.sign(method, &self.url, SignableBody::empty(), at, settings)?;
        let mut request = HttpRequest::empty();
        request.set_method(method)?;
        request.set_uri(self.url.as_str())?;
        for header in signature.into_parts().0 {
            request.headers_mut().try_insert(header.name(), header.value().to_owned())?;
        }
        Ok(request)
    }

    /// A link that is good for as long as it `lasts`, with no header to be sent. `query` is part of what is asked.
    pub(crate) fn link(
        &self,
        method: &str,
        query: &[(&str, &str)],
        at: SystemTime,
        lasts: Duration,
    ) -> Result<String, Failure> {
        let mut url = self.url.clone();
        let mut join = '?';
        let mut add = |url: &mut String, name: &str, value: &str| {
            *url += &format!("{join}{name}={}", utf8_percent_encode(value, IN_QUERY));
            join = '&';
        };
        query.iter().for_each(|(name, value)| add(&mut url, name, value));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lasts);
        // Of what will be sent nothing is known.
        let signature = self.sign(method, &url, SignableBody::UnsignedPayload, at, settings)?;
        signature.params().iter().for_each(|(name, value)| add(&mut url, name, value));
        Ok(url)
    }

    /// As S3 wants it: the path is signed as it is sent
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
    fn sign(
        &self,
        method: &str,
        url: &str,
        body: SignableBody<'_>,
        at: SystemTime,
        mut settings: SigningSettings,
    ) -> Result<SigningInstructions, Failure> {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder().identity(&identity).region(&self.region).name("s3").time(at);
        let unsigned = SignableRequest::new(method, url, [].into_iter(), body)?;
        Ok(sign(unsigned, &params.settings(settings).build()?.into())?.into_parts().0)
    }
}

/// Where an object is: at its bucket's own name in the region, or behind the endpoint if one is set. A name with a dot is not
/// covered by S3's certificate and stands in the path.
fn address(endpoint: Option<&str>, region: &str, bucket: &str, key: &str) -> String {
    let key = utf8_percent_encode(key, IN_PATH);
    match endpoint {
        Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
        None if bucket.contains('.') => format!("https://s3.{region}.{}/{bucket}/{key}", domain(region)),
        None => format!("https://{bucket}.s3.{region}.{}/{key}", domain(region)),
    }
}

/// The domain of a region's partition, as the SDK's list of them has it.
fn domain(region: &str) -> &'static str {
    const DOMAINS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    DOMAINS.iter().find(|(start, _)| region.starts_with(start)).map_or("amazonaws.com", |(_, domain)| domain)
}

#[cfg(test)]
impl Object {
    /// At any address, with the example keys of AWS's documentation.
    pub(crate) fn example(url: &str, region: &str, token: Option<&str>) -> Self {
        Self { url: url.to_owned(), region: region.to_owned(), credentials: tests::credentials(token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use aws_sdk_s3::Client;
    use aws_sdk_s3::config::{BehaviorVersion, Region, RequestChecksumCalculation};
    use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
    use proptest::prelude::*;

    const REGION: &str = "eu-central-1";
    const LASTS: Duration = Duration::from_secs(900);

    pub(super) fn credentials(token: Option<&str>) -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, token.map(str::to_owned), None, "test")
    }

    fn at() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
    }

    /// The SDK's client, which is asked to do the same.
    fn client(endpoint: Option<&str>, region: &str, token: Option<&str>) -> Client {
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials(token))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Client::from_conf(config.build())
    }

    fn by_the_sdk<E: fmt::Debug>(
        presign: impl AsyncFnOnce(PresigningConfig) -> Result<PresignedRequest, E>,
    ) -> PresignedRequest {
        let config = PresigningConfig::builder().start_time(at()).expires_in(LASTS).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(presign(config)).unwrap()
    }

    fn address_by_the_sdk(endpoint: Option<&str>, region: &str, bucket: &str, key: &str) -> String {
        let request = client(endpoint, region, None).get_object().bucket(bucket).key(key);
        by_the_sdk(async |config| request.presigned(config).await).uri().split('?').next().unwrap().to_owned()
    }

    #[test]
    fn an_object_is_where_the_sdk_looks_for_it() {
        let regions = [
            "eu-central-1",
            "us-east-1",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "mx-central-1",
        ];
        for region in regions {
            for bucket in ["almacen-catalogue-123456789012", "with.a.dot"] {
                let ours = address(None, region, bucket, "snapshot");
                assert_eq!(ours, address_by_the_sdk(None, region, bucket, "snapshot"));
            }
        }
        let endpoint = Some("http://127.0.0.1:4566");
        let ours = address(endpoint, REGION, "catalogue", "snapshot");
        assert_eq!(ours, "http://127.0.0.1:4566/catalogue/snapshot");
        assert_eq!(ours, address_by_the_sdk(endpoint, REGION, "catalogue", "snapshot"));
    }

    /// The parts of a link, and what it asks in no particular order: the SDK puts an `x-id` first that S3 does not need.
    fn parts(url: &str) -> (&str, Vec<&str>) {
        let (place, query) = url.split_once('?').unwrap();
        let mut query: Vec<&str> = query.split('&').collect();
        query.sort_unstable();
        (place, query)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Character by character, signature included.
        #[test]
        fn a_link_is_what_the_sdk_makes_of_it(
            key in "[ -~áñ€𐍈]{1,40}",
            disposition in "[ -~áñ€]{1,40}",
            token in proptest::option::of("[A-Za-z0-9+/=]{1,40}"),
            local in any::<bool>(),
        ) {
            let endpoint = local.then_some("http://127.0.0.1:4566");
            let object = Object::example(&address(endpoint, REGION, "bucket", &key), REGION, token.as_deref());
            let theirs = client(endpoint, REGION, token.as_deref());

            let put = theirs.put_object().bucket("bucket").key(&key);
            let put = by_the_sdk(async |config| put.presigned(config).await);
            let ours = object.link("PUT", &[("x-id", "PutObject")], at(), LASTS).unwrap();
            prop_assert_eq!(parts(&ours), parts(put.uri()));
            let mut headers = put.headers().map(|(name, _)| name);
            prop_assert!(headers.all(|name| name.eq_ignore_ascii_case("x-amzn-trace-id")));

            let get = theirs.get_object().bucket("bucket").key(&key).response_content_disposition(&disposition);
            let get = by_the_sdk(async |config| get.presigned(config).await);
            let query = [("x-id", "GetObject"), ("response-content-disposition", &disposition)];
            let ours = object.link("GET", &query, at(), LASTS).unwrap();
            prop_assert_eq!(parts(&ours), parts(get.uri()));
        }
    }

    /// "GET Bucket Lifecycle" of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    #[test]
    fn a_request_is_signed_as_in_the_documentation() {
        let object = Object::example("https://examplebucket.s3.amazonaws.com/?lifecycle", "us-east-1", None);
        let request = object.request("GET", at()).unwrap();
        assert_eq!(request.headers().get("x-amz-date"), Some("20130524T000000Z"));
        assert_eq!(
            request.headers().get("authorization"),
            Some(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                 Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
            )
        );
    }

    #[test]
    fn a_function_signs_with_its_session() {
        let object = Object::example("https://b.s3.eu-central-1.amazonaws.com/k", REGION, Some("session"));
        let request = object.request("HEAD", almacen_clock::now()).unwrap();
        assert_eq!(request.method(), "HEAD");
        assert_eq!(request.headers().get("x-amz-security-token"), Some("session"));
        let signature = request.headers().get("authorization").unwrap();
        assert!(signature.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
    }

    #[test]
    fn keys_are_not_shown() {
        let shown = format!("{:?}", Object::example("https://b/k", REGION, Some("session")));
        assert_eq!(shown, r#"Object { url: "https://b/k", .. }"#);
    }
}
