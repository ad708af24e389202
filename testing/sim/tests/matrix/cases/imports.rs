//! Files become stock.

use std::io::Write as _;
use std::time::Duration;

use almacen_testing_aws::cloud::Settings;
use almacen_testing_sim::api::{As, Request};
use almacen_testing_sim::world::World;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::{Heard, UseCase, ask, done, nothing};

const STOCK: &str = "store,sku,count,threshold\nBerlin,Tea,40,5\nBerlin,Mate,7,5\nMadrid,Tea,3,5\n";
const RECOUNT: &str = "store,sku,count,threshold\nBerlin,Tea,4,5\nBerlin,Mate,7,5\nMadrid,Tea,30,5\nMadrid,Chai,1,5\n";
const CHANGES: &str = "store,sku,count\nBerlin,Tea,-36\nBerlin,Mate,2\nMadrid,Chai,8\n";
/// Rows that cannot be read, two that contradict each other, and good ones.
const PARTLY_WRONG: &str =
    "store,sku,count\nBerlin,Tea,4\nBerlin,Mate,many\n,Chai,1\nMadrid,Tea,8\nMadrid,Tea,9\nMadrid,Chai,12\n";
/// Older than a file that says less of the same line.
const OLDER: &str = "store,sku,count\nBerlin,Tea,30\nMadrid,Tea,9\n";
/// Takes more out than there is.
const TOO_MUCH: &str = "store,sku,count\nBerlin,Tea,-41\nBerlin,Mate,2\n";
/// Cuts the files above into several parts.
const IN_PARTS: &[(&str, &str)] = &[("SPLIT_BYTES", "40")];

/// Every second row is of one of two stores. More rows than one batch of inserts has, and than one chunk of an adjustment.
const MANY: usize = 60;

/// A count for each of many items; `changed` more of the first `few`.
fn many(count: i64, (few, changed): (usize, i64)) -> String {
    (0..MANY).fold("store,sku,count\n".to_owned(), |text, row| {
        let store = if row % 2 == 0 { "Berlin" } else { "Madrid" };
        let count = if row < few { count + changed } else { count };
        text + &format!("{store},Item {row},{count}\n")
    })
}

async fn drop_file(world: &World, key: &str, file: impl AsRef<[u8]>) -> Heard {
    drop_with(world, key, file, &[]).await
}

async fn drop_with(world: &World, key: &str, file: impl AsRef<[u8]>, metadata: &[(&str, &str)]) -> Heard {
    world.put_object("UploadBucket", key, file, metadata).unwrap();
    world.settle().await.unwrap();
    None
}

/// A file of two stores was imported.
pub(super) fn stocked(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        drop_file(world, "first.csv", STOCK).await;
        Value::Null
    })
}

fn stocked_with_many(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        drop_file(world, "first.csv", many(20, (0, 0))).await;
        Value::Null
    })
}

/// Calls take so long that an import of a few rows has checkpoints, which it makes every second.
fn slowly(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        world.cloud().set(Settings { latency: 800, ..Settings::default() });
        Value::Null
    })
}

fn stocked_with_many_slowly(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked_with_many(world).await;
        slowly(world).await
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn new_import(body: &Value) -> Request {
    Request::new(As::Operator, "POST", "/imports", &[]).body(body)
}

fn announced(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked(world).await;
        done(world, new_import(&json!({"fileName": "stores/Berlin/recount.csv"}))).await
    })
}

fn announced_and_uploaded(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        let import = announced(world).await;
        upload(world, &import, "sku,count\nTea,4\n").await;
        import
    })
}

fn dry_run_announced(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked(world).await;
        done(world, new_import(&json!({"fileName": "recount.csv", "mode": "adjust", "dryRun": true}))).await
    })
}

/// Sends the file to the link that announcing the import gave.
async fn upload(world: &World, announced: &Value, file: &str) -> Heard {
    let status = world.upload(announced["upload"]["url"].as_str().unwrap(), file).await.unwrap();
    assert_eq!(status, 200);
    world.settle().await.unwrap();
    None
}

/// A file whose message no function ever got, until its queue gave it up.
fn dead_letter(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        stocked(world).await;
        world.put_object("UploadBucket", "second.csv", RECOUNT, &[]).unwrap();
        let (sqs, stack) = (world.cloud().sqs(), world.cloud().stack());
        let (queue, dead) = (stack.name("UploadsQueue").unwrap(), stack.name("UploadsDeadLetters").unwrap());
        let hidden = Duration::from_millis(sqs.settings(queue).unwrap().visibility);
        while sqs.messages(dead).is_empty() {
            sqs.receive(queue, 1, None, world.cloud().now()).unwrap();
            world.pass(hidden).await;
        }
        Value::Null
    })
}

fn dead_letter_closed(world: &World) -> LocalBoxFuture<'_, Value> {
    Box::pin(async {
        dead_letter(world).await;
        world.tick("close-imports").await.unwrap();
        world.settle().await.unwrap();
        Value::Null
    })
}

/// An operator puts the dead letters back.
async fn redrive(world: &World) -> Heard {
    let dead = world.cloud().stack().name("UploadsDeadLetters").unwrap();
    assert_eq!(world.cloud().sqs().redrive(dead, world.cloud().now()), 1);
    world.settle().await.unwrap();
    None
}

pub(super) const ALL: &[UseCase] = &[
    UseCase::work("first import", nothing, |world, _| Box::pin(drop_file(world, "first.csv", STOCK))),
    UseCase::work("one row", stocked, |world, _| {
        Box::pin(drop_file(world, "stores/Berlin/one.csv", "sku,count\nChai,9\n"))
    }),
    UseCase::work("many new lines", nothing, |world, _| Box::pin(drop_file(world, "many.csv", many(20, (0, 0))))),
    UseCase::work("some of many lines changed", stocked_with_many, |world, _| {
        Box::pin(drop_file(world, "many.csv", many(20, (12, 5))))
    }),
    UseCase::work("new lines with checkpoints", slowly, |world, _| {
        Box::pin(drop_file(world, "many.csv", many(20, (0, 0))))
    }),
    UseCase::work("changed lines with checkpoints", stocked_with_many_slowly, |world, _| {
        Box::pin(drop_file(world, "many.csv", many(20, (12, 5))))
    }),
    UseCase::work("adjustment with checkpoints", stocked_with_many_slowly, |world, _| {
        Box::pin(drop_with(world, "changes.csv", many(-3, (0, 0)), &[("mode", "adjust")]))
    }),
    UseCase::work("recount", stocked, |world, _| Box::pin(drop_file(world, "second.csv", RECOUNT))),
    UseCase::work("the same file again", stocked, |world, _| Box::pin(drop_file(world, "first.csv", STOCK))),
    UseCase::work("import in parts", stocked, |world, _| Box::pin(drop_file(world, "second.csv", RECOUNT)))
        .with(IN_PARTS),
    UseCase::work("gzip", stocked, |world, _| Box::pin(drop_file(world, "second.csv.gz", gzip(RECOUNT)))),
    UseCase::work("gzip in parts", stocked, |world, _| Box::pin(drop_file(world, "second.csv.gz", gzip(RECOUNT))))
        .with(IN_PARTS),
    UseCase::work("dry run", stocked, |world, _| {
        Box::pin(drop_with(world, "second.csv", RECOUNT, &[("dry-run", "true")]))
    }),
    UseCase::work("dry run in parts", stocked, |world, _| {
        Box::pin(drop_with(world, "second.csv", RECOUNT, &[("dry-run", "true")]))
    })
    .with(IN_PARTS),
    UseCase::work("adjustment", stocked, |world, _| {
        Box::pin(drop_with(world, "changes.csv", CHANGES, &[("mode", "adjust")]))
    }),
    UseCase::work("adjustment in parts", stocked, |world, _| {
        Box::pin(drop_with(world, "changes.csv", CHANGES, &[("mode", "adjust")]))
    })
    .with(IN_PARTS),
    UseCase::work("adjustment in chunks", stocked_with_many, |world, _| {
        Box::pin(drop_with(world, "changes.csv", many(-3, (0, 0)), &[("mode", "adjust")]))
    }),
    UseCase::work("adjustment that takes too much", stocked, |world, _| {
        Box::pin(drop_with(world, "changes.csv", TOO_MUCH, &[("mode", "adjust")]))
    }),
    UseCase::work("rejected rows", stocked, |world, _| Box::pin(drop_file(world, "second.csv", PARTLY_WRONG))),
    UseCase::work("rejected rows in parts", stocked, |world, _| Box::pin(drop_file(world, "second.csv", PARTLY_WRONG)))
        .with(IN_PARTS),
    UseCase::work("refused file", stocked, |world, _| Box::pin(drop_file(world, "poem.csv", "roses,are,red\n"))),
    UseCase::work("a mode that there is not", stocked, |world, _| {
        Box::pin(drop_with(world, "changes.csv", CHANGES, &[("mode", "adjsut")]))
    }),
    UseCase::work("two files of one store at once", stocked, |world, _| {
        Box::pin(async {
            world.put_object("UploadBucket", "second.csv", OLDER, &[]).unwrap();
            // Of two keys the time alone says which file is newer.
            world.pass(Duration::from_millis(1)).await;
            drop_file(world, "stores/Berlin/third.csv", "sku,count\nTea,2\nChai,12\n").await
        })
    })
    .in_any_order(&["ImportsTable", "ReportsBucket", "EventsTopic", "AlertsTopic", "TasksTable"]),
    UseCase::request("POST /imports", stocked, |world, _| {
        Box::pin(ask(world, new_import(&json!({"fileName": "recount.csv"}))))
    }),
    UseCase::work("upload of an announced import", announced, |world, import| {
        Box::pin(upload(world, import, "sku,count\nTea,4\nChai,9\n"))
    }),
    UseCase::work("upload of an announced dry run", dry_run_announced, |world, import| {
        Box::pin(upload(world, import, CHANGES))
    }),
    UseCase::work("second upload of an announced import", announced_and_uploaded, |world, import| {
        Box::pin(upload(world, import, "sku,count\nTea,6\n"))
    }),
    UseCase::work("import that only a dead letter names", dead_letter, |world, _| {
        Box::pin(async {
            world.tick("close-imports").await.unwrap();
            world.settle().await.unwrap();
            None
        })
    })
    .leaving(&["UploadsDeadLetters"]),
    UseCase::work("import whose dead letter is put back", dead_letter_closed, |world, _| Box::pin(redrive(world))),
];
