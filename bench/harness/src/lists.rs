//! What lists of products cost to read, whatever their order and filters.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Bench;
use crate::functions::{self, CALL_TIMEOUT};
use crate::report::{Cell, Section};
use crate::sandbox::Sandbox;
use crate::stats::{megabytes, micros};

/// A page may cost this many read units for each product that it shows.
const TARGET: f64 = 3.0;
/// Products on a page.
const PAGE: usize = 20;

/// One list after the other, in one process.
pub(crate) fn run(bench: &Bench) -> Result<Section> {
    const FUNCTION: &str = functions::LISTS;
    let products = if bench.quick { 1_000 } else { 10_000 };
    let mut section = Section::new(
        "Lists of products",
        &format!(
            "{products} products in the stand-in, one process of products-api, lists of {PAGE} one after the other. Read units by \
             DynamoDB's rules, on all tables: half a unit a started 4 KB, a whole one where the read is consistent. Before it \
             snapshot-catalogue has read the index whole, which it does once a day, and has left behind in S3 what lists need. \
             Target for each list: at most {TARGET} units for each product shown."
        ),
        1,
        &["list", "found", "shown", "read units", "units for one shown", "latency"],
    );
    bench.aws.clear();
    functions::seed_products(&bench.aws, products)?;
    bench.aws.take_usage("Products");
    let began = Instant::now();
    bench.snapshot()?;
    let (took, units) = (began.elapsed(), bench.aws.take_usage("Products").read_units);
    section.notes.push(format!("The snapshot took {units:.0} read units and {:.0} ms.", took.as_secs_f64() * 1000.0));
    let sandbox = Sandbox::start(&bench.launch(FUNCTION), None)?;
    let mut lists = vec![("first list of a process".to_owned(), String::new())];
    for order in ["recientes", "precio_asc", "precio_desc", "calificacion_desc"] {
        for filter in
            ["", "categoria=audio", "precioMin=100.20&precioMax=100.60", "q=auriculares", "categoria=audio&q=ruido"]
        {
            for page in [1, 40] {
                let query = format!("orden={order}&{filter}&pagina={page}").replace("&&", "&");
                lists.push((query.clone(), query));
            }
        }
    }
    let bar = bench.bar("lists of products", lists.len() as u64);
    for (name, query) in &lists {
        bench.aws.take_usage("Products");
        let event = Arc::new(functions::product_list(query).to_string().into_bytes());
        let answer = sandbox.invoke(&event, CALL_TIMEOUT)?;
        let list: Value = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|outer| serde_json::from_str(outer.get("body")?.as_str()?).ok())
            .with_context(|| format!("{name}: {}{}", answer.excerpt(), sandbox.last_words()))?;
        let number = |at: &str| list.pointer(at).and_then(Value::as_u64);
        let (Some(total), Some(shown)) = (number("/paginacion/total"), list.get("datos").and_then(Value::as_array))
        else {
            bail!("{name}: no list: {}", answer.excerpt());
        };
        let units = bench.aws.take_usage("Products").read_units;
        let each = (!shown.is_empty()).then(|| units / shown.len() as f64);
        let met = each.map(|each| each <= TARGET);
        section.rows.push(vec![
            name.as_str().into(),
            total.to_string().into(),
            shown.len().to_string().into(),
            format!("{units:.1}").into(),
            Cell::maybe(each.map_or_else(|| "–".to_owned(), |each| format!("{each:.2}")), met),
            format!("{:.0} µs", micros(answer.took)).into(),
        ]);
        bar.inc(1);
    }
    bar.finish_and_clear();
    section.notes.push(format!("Peak memory of the process: {}.", megabytes(sandbox.peak_memory()?)));
    Ok(section)
}
