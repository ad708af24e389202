//! Every function names all variables that it misses, at once: those that the template gives it.

use std::collections::BTreeSet;

use almacen_aws_client::Aws;
use almacen_lambda_kit::config::Env;
use almacen_testing_sim::instance::start;
use almacen_testing_sim::world::World;

/// Variables that a function can do without.
const OPTIONAL: [(&str, &str); 3] =
    [("authorize", "JWKS_URL"), ("cart-api", "SHIPPING_RATES"), ("cart-api", "FREE_SHIPPING_FROM")];

#[test]
fn everything_missing_is_named_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let functions = runtime.block_on(async { World::new(1, &[]).unwrap().cloud().stack().functions.clone() });
    for (package, spec) in functions {
        let required: BTreeSet<String> = spec
            .environment
            .into_keys()
            .filter(|name| !OPTIONAL.contains(&(package.as_str(), name.as_str())))
            .collect();
        let told =
            start(&package, Env::of([]), &Aws::from_env()).err().map(|error| error.to_string()).unwrap_or_default();
        let named: BTreeSet<String> = told
            .trim_start_matches("environment: ")
            .split("; ")
            .filter_map(|problem| problem.strip_suffix(" is missing"))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, required, "{package}: {told}");
    }
}
