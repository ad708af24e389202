//! From an S3 event to the objects that arrived.

use almacen_clock::now_ms;
use almacen_domain::Millis;
use almacen_domain::kernel::id;
use almacen_domain::stock::import::Mode;
use almacen_domain::stock::{Stamp, pad_sequencer};
use almacen_files::FilesError;
use almacen_files::object::{Head, Location, head};
use almacen_lambda_kit::s3::{CreatedObject, NotAnS3Event, created_objects};
use almacen_table::stock::imports::{Arrival, Bound, Job, Object};

use crate::Importer;
use crate::error::{FileRefusal, ImportError};

/// Where announced imports are uploaded: `imports/{importId}/{fileName}`.
const ANNOUNCED_PREFIX: &str = "imports/";

/// An object that arrived, as its event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Version, where the bucket keeps them.
    pub version: Option<String>,
    /// Bytes, where the event says.
    pub size: Option<u64>,
    /// How old its counts are.
    pub stamp: Stamp,
    /// What tells this upload from others of its key, where the bucket keeps no versions.
    upload: String,
}

/// The objects that a message tells of. What a console leaves behind that "creates a folder" is none.
///
/// # Errors
/// When the text is no S3 event: the message can never succeed.
pub fn parse(body: &str) -> Result<Vec<Uploaded>, ImportError> {
    let objects = created_objects(body).map_err(|NotAnS3Event| ImportError::Malformed("S3 event"))?;
    Ok(objects.into_iter().filter(|object| !is_folder(object)).map(uploaded).collect())
}

/// An empty object under a key that ends like a folder.
fn is_folder(object: &CreatedObject) -> bool {
    object.size == Some(0) && object.key.ends_with('/')
}

fn uploaded(object: CreatedObject) -> Uploaded {
    let CreatedObject { bucket, key, version, size, sequencer, at } = object;
    let stamp = Stamp {
        at,
        source: id::derived("s3", &[&bucket, &key])[..15].to_owned(),
        // S3 always sends one; what speaks its language and does not is ordered by time.
        sequencer: sequencer.as_deref().and_then(pad_sequencer).unwrap_or_default(),
    };
    let upload = upload_name(sequencer.as_deref(), at);
    Uploaded { bucket, key, version, size, stamp, upload }
}

/// The ids of imports in buckets without versions follow from this text. Its form must not change: a repeated event
/// would become a second import.
fn upload_name(sequencer: Option<&str>, at: Millis) -> String {
    let text = sequencer.map_or_else(|| format!("{:X}", at.max(0)), str::to_owned);
    format!("{text:0>24}").to_ascii_uppercase()
}

/// The id of an announced import, where the key has one: `imports/imp_…/name.csv`.
#[must_use]
pub fn announced_id(key: &str) -> Option<&str> {
    let (id, name) = key.strip_prefix(ANNOUNCED_PREFIX)?.split_once('/')?;
    (id.starts_with("imp_") && id.len() <= 64 && !name.is_empty()).then_some(id)
}

/// The object's import, made or found, or why it is refused before it is read.
///
/// An announced import says itself what is to be done, and the event how large a version is. So S3 is asked only where
/// the object's own metadata decides.
///
/// # Errors
/// [`ImportError`].
pub async fn open(importer: &Importer, uploaded: &Uploaded) -> Result<(Job, Option<FileRefusal>), ImportError> {
    let mut surplus = false;
    if let Some(id) = announced_id(&uploaded.key) {
        let size = match (&uploaded.version, uploaded.size) {
            (Some(_), Some(size)) => size,
            _ => look(importer, uploaded).await?.0.size,
        };
        match importer.imports.bind(&uploaded.object(size), &uploaded.stamp, id).await? {
            Bound::Yes(job) => return Ok((*job, None)),
            Bound::HasAnother => surplus = true,
            Bound::NotAnnounced => {}
        }
    }
    let (found, gone) = look(importer, uploaded).await?;
    let (asked, misread) = match Asked::read(&found) {
        Ok(asked) => (asked, None),
        // Refused below, and that is told to whoever listens.
        Err(refusal) => (Asked { mode: Mode::Set, dry_run: false }, Some(refusal)),
    };
    let version = uploaded.version.as_deref().unwrap_or(&uploaded.upload);
    let arrival = Arrival {
        object: uploaded.object(found.size),
        stamp: uploaded.stamp.clone(),
        mode: asked.mode,
        dry_run: asked.dry_run,
        derived_id: id::derived("imp", &[&uploaded.bucket, &uploaded.key, version]),
        now: now_ms(),
    };
    let job = importer.imports.open(&arrival).await?;
    Ok((job, if surplus { Some(FileRefusal::surplus()) } else { gone.or(misread) }))
}

/// What S3 says of the object, or that it is gone.
async fn look(importer: &Importer, uploaded: &Uploaded) -> Result<(Head, Option<FileRefusal>), ImportError> {
    let at = Location { bucket: uploaded.bucket.clone(), key: uploaded.key.clone(), version: uploaded.version.clone() };
    match head(&importer.files, &at).await {
        Ok(found) => Ok((found, None)),
        Err(FilesError::Missing) => Ok((Head { size: 0, mode: None, dry_run: None }, Some(FileRefusal::gone()))),
        Err(error) => Err(error.into()),
    }
}

impl Uploaded {
    fn object(&self, size: u64) -> Object {
        Object { bucket: self.bucket.clone(), key: self.key.clone(), version: self.version.clone(), size }
    }
}

/// What a direct upload's metadata asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    mode: Mode,
    dry_run: bool,
}

impl Asked {
    /// A misspelt wish is refused: an `adjust` that is read as `set` would destroy counts.
    fn read(head: &Head) -> Result<Self, FileRefusal> {
        let mode = match head.mode.as_deref().map(str::trim) {
            None | Some("") => Some(Mode::Set),
            Some(text) => Mode::parse(&text.to_ascii_lowercase()),
        };
        let dry_run = match head.dry_run.as_deref().map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "false" | "0" | "no") => Some(false),
            Some("true" | "1" | "yes") => Some(true),
            Some(_) => None,
        };
        match (mode, dry_run) {
            (Some(mode), Some(dry_run)) => Ok(Self { mode, dry_run }),
            _ => Err(FileRefusal::bad_metadata()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1",
        "eventTime":"2026-01-02T03:04:05.678Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"A"},
        "requestParameters":{"sourceIPAddress":"127.0.0.1"},"responseElements":{},
        "s3":{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{"name":"b","ownerIdentity":{"principalId":"A"},"arn":"arn:aws:s3:::b"},
        "object":{"key":"stores/San+Sebasti%C3%A1n/a%2Bb.csv","size":7,"eTag":"e","versionId":"v1","sequencer":"0A1B"}}}]}"#;

    #[test]
    fn an_upload_as_s3_tells_it() {
        let uploaded = parse(EVENT).unwrap();
        assert_eq!(uploaded.len(), 1);
        assert_eq!(uploaded[0].key, "stores/San Sebastián/a+b.csv");
        assert_eq!((uploaded[0].version.as_deref(), uploaded[0].size), (Some("v1"), Some(7)));
        assert_eq!(uploaded[0].stamp.at, 1_767_323_045_678);
        assert_eq!(uploaded[0].stamp.sequencer, "0A1B0000000000000000000000000000");
        assert_eq!(uploaded[0].upload, "000000000000000000000A1B");
    }

    #[test]
    fn a_sequencer_that_gives_no_order_leaves_it_to_time() {
        for sequencer in ["", "not hexadecimal", &"0".repeat(1000)] {
            let event = EVENT.replace(r#""sequencer":"0A1B""#, &format!(r#""sequencer":"{sequencer}""#));
            assert_eq!(parse(&event).unwrap()[0].stamp.sequencer, "", "{sequencer}");
        }
    }

    #[test]
    fn other_events_are_nothing_to_import_and_other_texts_an_error() {
        assert_eq!(parse(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#).unwrap(), []);
        assert_eq!(parse(&EVENT.replace("ObjectCreated:Put", "ObjectRemoved:Delete")).unwrap(), []);
        let folder = EVENT.replace("a%2Bb.csv", "").replace(r#""size":7"#, r#""size":0"#);
        assert_eq!(parse(&folder).unwrap(), []);
        assert!(parse("not json").is_err());
        assert!(parse("{}").is_err());
        assert!(parse(&EVENT.replace(r#""name":"b","#, "")).is_err());
    }

    #[test]
    fn a_misspelt_wish_is_no_wish() {
        let asked = |mode: Option<&str>, dry_run: Option<&str>| {
            let head = Head { size: 1, mode: mode.map(str::to_owned), dry_run: dry_run.map(str::to_owned) };
            Asked::read(&head).map(|asked| (asked.mode, asked.dry_run)).map_err(|refusal| refusal.code)
        };
        assert_eq!(asked(None, None), Ok((Mode::Set, false)));
        assert_eq!(asked(Some("Adjust "), Some("True")), Ok((Mode::Adjust, true)));
        assert_eq!(asked(Some("adjsut"), None), Err("BAD_METADATA"));
        assert_eq!(asked(None, Some("maybe")), Err("BAD_METADATA"));
    }

    #[test]
    fn only_announced_keys_name_an_import() {
        assert_eq!(announced_id("imports/imp_1/stores/Berlin/a.csv"), Some("imp_1"));
        for key in ["imports/imp_1", "imports/imp_1/", "imports/x/a.csv", "stores/imports/imp_1/a.csv", "a.csv"] {
            assert_eq!(announced_id(key), None, "{key}");
        }
    }
}
