//! The user pool, as one of its app clients sees it: the one SDK client of signing in, signing up and asking who one is.

use almacen_aws_client::Aws;
use aws_sdk_cognitoidentityprovider::Client;

/// The Cognito user pool.
#[derive(Debug, Clone)]
pub struct UserPool {
    pub(crate) client: Client,
    pub(crate) id: String,
    pub(crate) client_id: String,
}

impl UserPool {
    /// The pool with this id, as its app client with that one. Nothing is called yet.
    #[must_use]
    pub fn new(aws: &Aws, id: String, client_id: String) -> Self {
        let config = aws_sdk_cognitoidentityprovider::config::Builder::from(aws.config());
        let client = Client::from_conf(config.retry_partition(aws.retry_partition("cognito")).build());
        Self { client, id, client_id }
    }
}
