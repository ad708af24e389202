//! The user pool asks before it takes somebody in.

use admit_user::AdmitUser;
use almacen_lambda_kit::start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(AdmitUser::new).await
}
