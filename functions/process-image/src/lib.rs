//! A picture was uploaded: check it, remove its metadata, write it in the sizes of the page, show it with its product.
//!
//! 1. `POST /productos` answers a link to `products/{product}/{upload}` in OriginalsBucket, which stays private. S3
//!    sends each new object to PicturesQueue ([`arrival`]).
//! 2. The upload is read, 8 MiB at most, decoded within bounds, turned upright ([`picture`]), and written as three
//!    JPEGs to ImagesBucket, under a name derived from the upload's content.
//! 3. The picture, the product's new version and ProductoActualizado are one transaction
//!    (`almacen_table::catalogue::product_images`).
//!
//! A message that comes twice, late or after a crash does the same again: names follow from content, and a product
//! takes a picture once. An upload that is no picture is noted on the product (`image_problem`), logged with its code
//! and tagged, and its message is done; only a failed call makes a message come again.
//!
//! Invariant: every picture that is shown was encoded here. Only the pixels of an upload are kept: no metadata, no
//! trailing data.
//!
//! Invariant: pictures stand in the order of their uploads, whatever the order of the messages
//! (`almacen_domain::catalogue::image::place`).

pub mod arrival;
pub mod picture;

mod jpeg;
mod webp;

use almacen_aws_client::Aws;
use almacen_clock::{Instant, now_ms};
use almacen_contract::error::Unserialisable;
use almacen_contract::event::{name, product_event};
use almacen_domain::catalogue::Product;
use almacen_domain::catalogue::image::{Problem, Shown, UPLOAD_BYTES_MAX, image_key, place, stored_key};
use almacen_domain::kernel::event::OutboxEvent;
use almacen_files::object::read;
use almacen_files::write::{put_for_ever, tag};
use almacen_files::{Files, FilesError};
use almacen_lambda_kit::batch;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::{Failure, Function};
use almacen_table::catalogue::product_images::{Pictured, ProductImages};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use ring::digest::{Context, SHA256};

use crate::arrival::{Uploaded, parse};
use crate::picture::{RECIPE, render};

/// How often a product that somebody else changes at the same time is read again.
const TRIES: u32 = 8;
/// The tag by which the bucket's lifecycle rule knows a refused upload.
const REFUSED_TAG: (&str, &str) = ("refused", "1");
/// Bytes of the digest that stand in a picture's name: 128 bits, which nobody meets by chance.
const DIGEST_BYTES: usize = 16;

/// The function and what it talks to.
#[derive(Debug)]
pub struct ProcessImage {
    products: ProductImages,
    files: Files,
    /// Where results go.
    images_bucket: String,
}

impl ProcessImage {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        let (products, outbox) = (env.required("PRODUCTS_TABLE"), env.required("OUTBOX_TABLE"));
        Self {
            products: ProductImages::new(almacen_dynamo::client(aws), products, outbox),
            files: Files::new(aws),
            images_bucket: env.required("IMAGES_BUCKET"),
        }
    }
}

impl Function for ProcessImage {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn handle(&self, event: SqsEvent, _context: lambda_runtime::Context) -> Result<SqsBatchResponse, Failure> {
        process_each(self, event).await
    }
}

/// Works on each message of the batch.
///
/// # Errors
/// When a message without an id failed.
async fn process_each(deps: &ProcessImage, event: SqsEvent) -> Result<SqsBatchResponse, Failure> {
    batch::each(event, |message| async move {
        let mut failed = None;
        // One picture that fails does not hold up the others of its message.
        for uploaded in parse(&message.body.unwrap_or_default())? {
            if let Err(failure) = process(deps, &uploaded).await {
                failed = failed.or(Some(failure));
            }
        }
        failed.map_or(Ok(()), Err)
    })
    .await
}

async fn process(deps: &ProcessImage, uploaded: &Uploaded) -> Result<(), Failure> {
    let product = uploaded.product.as_str();
    let Some(seen) = deps.products.get(product).await? else {
        tracing::info!(product, "a picture of no product that there is; left alone");
        return Ok(());
    };
    // As it is now and not as the message says: it may have been replaced since, and only what is refused is tagged.
    let bytes_max = usize::try_from(UPLOAD_BYTES_MAX).unwrap_or(usize::MAX);
    let upload = match read(&deps.files, &uploaded.bucket, &uploaded.key, bytes_max).await {
        Ok(upload) => upload,
        Err(FilesError::TooLarge) => return refuse(deps, uploaded, &seen, Problem::TooLarge).await,
        Err(FilesError::Missing) => {
            tracing::info!(product, "the picture is gone again");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let new = Shown { key: image_key(product, &digest(&upload)), uploaded_at: Some(uploaded.at) };
    if place(&seen.images, &new).is_none() {
        tracing::info!(product, image = new.key, "picture known already");
        return Ok(());
    }
    let began = Instant::now();
    let renditions = match render(&upload) {
        Ok(renditions) => renditions,
        Err(problem) => return refuse(deps, uploaded, &seen, problem).await,
    };
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(product, image = new.key, bytes = upload.len(), took_ms = took, "picture made");
    for rendition in renditions {
        let key = stored_key(&new.key, rendition.width);
        put_for_ever(&deps.files, &deps.images_bucket, &key, "image/jpeg", rendition.jpeg).await?;
    }
    show(deps, seen, &new).await
}

/// Shows the picture with its product, unless that is gone or shows it already.
async fn show(deps: &ProcessImage, seen: Pictured, new: &Shown) -> Result<(), Failure> {
    let product = seen.product.id.clone();
    let mut current = Some(seen);
    for _ in 0..TRIES {
        let Some(seen) = current else {
            tracing::info!(product, "the product was deleted meanwhile");
            return Ok(());
        };
        let Some(images) = place(&seen.images, new) else { return Ok(()) };
        let after = changed(&seen.product, &images);
        if deps.products.show(&seen, &after, &images, &told(&after, &new.key)?).await? {
            tracing::info!(product, image = new.key, version = after.version, "picture shown");
            return Ok(());
        }
        current = deps.products.get(&product).await?;
    }
    Err(Failure { kind: "Contended", message: "the product was changed by others again and again".to_owned() })
}

/// The product with these pictures.
fn changed(product: &Product, images: &[Shown]) -> Product {
    Product {
        images: images.iter().map(|image| image.key.clone()).collect(),
        version: product.version + 1,
        updated_at: now_ms(),
        ..product.clone()
    }
}

/// The event that tells of the change.
fn told(after: &Product, cause: &str) -> Result<OutboxEvent, Unserialisable> {
    let event = product_event(name::PRODUCT_UPDATED, after, cause, cause);
    event.into_outbox()
}

/// Ends with an upload for good: it is noted on the product, the log and the object, and does not come again.
async fn refuse(deps: &ProcessImage, uploaded: &Uploaded, seen: &Pictured, problem: Problem) -> Result<(), Failure> {
    tracing::warn!(product = uploaded.product, bytes = uploaded.size, code = problem.as_str(), "upload refused");
    let (name, value) = REFUSED_TAG;
    match tag(&deps.files, &uploaded.bucket, &uploaded.key, name, value).await {
        Ok(()) | Err(FilesError::Missing) => {}
        Err(error) => return Err(error.into()),
    }
    // A picture that is newer has settled it.
    if seen.images.iter().all(|image| image.uploaded_at < Some(uploaded.at)) {
        deps.products.note(&uploaded.product, problem, uploaded.at).await?;
    }
    Ok(())
}

/// The name of the pictures that are made of an upload.
fn digest(upload: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(RECIPE.as_bytes());
    context.update(b"\n");
    context.update(upload);
    context.finish().as_ref()[..DIGEST_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
