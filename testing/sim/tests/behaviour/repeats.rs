//! Events come more than once, late, and in the wrong order.

use std::time::Duration;

use almacen_testing_sim::books::{number, published};
use almacen_testing_sim::world::World;
use serde_json::json;

use crate::warehouse::{Arrived, books_balance, change, counters, ended, held, lines, put_quietly, upload};
use crate::{SEEDS, in_world, in_worlds};

/// What people were told about an item.
fn alerts(world: &World, item: &str) -> usize {
    let topic = &world.cloud().stack().topics["AlertsTopic"].name;
    world.cloud().sns().published(topic).iter().filter(|told| told.message.contains(&format!("«{item}»"))).count()
}

#[test]
fn the_same_event_three_times_is_one_import() {
    in_worlds(SEEDS, 20, async |world| {
        let mut file = String::from("store,item,count\n");
        for row in 0..100 {
            file.push_str(&format!("Norte,sku-{row:04},{}\n", row % 97 + 6));
        }
        file.push_str("Norte,low,3\nNorte,bad,-1\n");
        let arrived = put_quietly(world, "three.csv", &file).await;
        let deliveries = async {
            for _ in 0..3 {
                arrived.send(world);
                world.pass(Duration::from_millis(7)).await;
            }
        };
        world.run_beside(vec![Box::pin(deliveries)]).await.unwrap();
        let once = arrived.import(world).await;
        ended(&once, "completed_with_errors", [102, 0, 0, 101, 1, 0]);
        let mut expected = held(world, "Norte");
        assert_eq!((expected.len(), number(&expected["sku-0001"], "on_hand")), (101, Some(7)));

        // Later, and after somebody has changed a line: nothing is brought back.
        change(world, "Norte", "sku-0001", &json!({"count": 77})).await;
        arrived.deliver(world).await;
        let again = arrived.deliver(world).await;
        assert_eq!((counters(&again), &again["finishedAt"]), (counters(&once), &once["finishedAt"]));
        let now = held(world, "Norte");
        assert_eq!(number(&now["sku-0001"], "on_hand"), Some(77));
        expected.insert("sku-0001".to_owned(), now["sku-0001"].clone());
        assert_eq!(now, expected);

        let told: Vec<_> =
            published(world).unwrap().into_values().filter(|told| told["agregadoId"] == once["importId"]).collect();
        assert!(matches!(told.as_slice(), [told] if told["evento"] == "ImportacionCompletada"), "{told:?}");
        change(world, "Norte", "sku-0002", &json!({"count": 0})).await;
        assert_eq!(["low", "sku-0001", "sku-0002"].map(|item| alerts(world, item)), [1, 0, 1]);
        books_balance(world);
    });
}

/// The older of two versions of one key, and the newer.
async fn two_versions(world: &World, older: &str, newer: &str) -> (Arrived, Arrived) {
    (put_quietly(world, "stock.csv", older).await, put_quietly(world, "stock.csv", newer).await)
}

#[test]
fn newest_first_ends_as_the_newest_says() {
    in_world(&[], async |world| {
        let (older, newer) = two_versions(
            world,
            "store,item,count,threshold\nNorte,both,10,3\nNorte,only older,11,\nNorte,same,5,\n",
            "store,item,count,threshold\nNorte,both,20,4\nNorte,only newer,21,\nNorte,same,5,\n",
        )
        .await;
        ended(&newer.deliver(world).await, "completed", [3, 0, 0, 3, 0, 0]);
        ended(&older.deliver(world).await, "completed", [3, 0, 0, 1, 0, 2]);
        assert_eq!(lines(world, "Norte"), ["both 20", "only newer 21", "only older 11", "same 5"]);
        let thresholds: Vec<_> = held(world, "Norte").values().map(|line| number(line, "threshold")).collect();
        assert_eq!(thresholds, [Some(4), None, None, None]);
        books_balance(world);
    });
}

#[test]
fn sequencers_of_different_length_keep_the_order_of_s3() {
    // The older one is longer: as a number it is the greater, as S3 compares them it is the lesser.
    for older_first in [true, false] {
        in_world(&[], async |world| {
            let (older, newer) =
                two_versions(world, "store,item,count\nNorte,a,10\n", "store,item,count\nNorte,a,20\n").await;
            // Their times say the opposite, as they may within one key.
            let before = older.at - 1;
            let (older, newer) =
                (older.sequencer("0066000000000001AB"), newer.sequencer("0066000000000002").at(before));
            let (first, second) = if older_first { (&older, &newer) } else { (&newer, &older) };
            ended(&first.deliver(world).await, "completed", [1, 0, 0, 1, 0, 0]);
            let expected = if older_first { [1, 1, 0, 0, 0, 0] } else { [1, 0, 0, 0, 0, 1] };
            ended(&second.deliver(world).await, "completed", expected);
            assert_eq!(lines(world, "Norte"), ["a 20"]);
            books_balance(world);
        });
    }
}

#[test]
fn a_late_file_cannot_undo_what_a_newer_one_found_right() {
    in_world(&[], async |world| {
        let first = upload(world, "first.csv", "store,item,count\nNorte,a,7\nNorte,b,8\n").await;
        ended(&first, "completed", [2, 0, 0, 2, 0, 0]);
        // The newer version confirms a without a write; the older one, delivered after it, says otherwise.
        let (older, newer) =
            two_versions(world, "store,item,count\nNorte,a,3\nNorte,b,9\n", "store,item,count\nNorte,a,7\n").await;
        ended(&newer.deliver(world).await, "completed", [1, 0, 1, 0, 0, 0]);
        ended(&older.deliver(world).await, "completed", [2, 1, 0, 0, 0, 1]);
        assert_eq!(lines(world, "Norte"), ["a 7", "b 9"]);
        books_balance(world);
    });
}

#[test]
fn a_file_older_than_a_change_by_hand_changes_nothing() {
    in_world(&[], async |world| {
        upload(world, "first.csv", "store,item,count\nNorte,a,7\nNorte,b,7\n").await;
        // Counted before the change by hand, and after the first file.
        let late = put_quietly(world, "late.csv", "store,item,count\nNorte,a,1\nNorte,b,1\n").await;
        change(world, "Norte", "a", &json!({"count": 70})).await;
        ended(&late.deliver(world).await, "completed", [2, 1, 0, 0, 0, 1]);
        assert_eq!(lines(world, "Norte"), ["a 70", "b 1"]);
        books_balance(world);
    });
}
