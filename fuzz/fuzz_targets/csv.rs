//! Any bytes at all, as a file of stock: see `any_file` for what must hold.
#![no_main]

#[path = "../../shared/stock-csv/tests/csv/properties.rs"]
mod properties;

use almacen_domain::stock::import::Mode;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // the first byte says how to read the rest: in which mode, in chunks of which size
    let Some((how, file)) = input.split_first() else { return };
    let mode = if how & 1 == 0 { Mode::Set } else { Mode::Adjust };
    properties::any_file(file, usize::from(how >> 1) + 1, mode);
});
