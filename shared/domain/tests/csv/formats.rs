//! The exports of shops and warehouses, with their real headers; and every file in `samples/`.

use almacen_domain::csv::Verdict;
use almacen_domain::import::Mode;

use crate::support::{check, check_bytes, layout, refused, rejected_file, survey};

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/", $name))
    };
}

/// Every sample, for tests that take them as a starting point.
pub(crate) const SAMPLES: [&[u8]; 7] = [
    sample!("berlin-madrid.csv"),
    sample!("existencias-es.csv"),
    sample!("magento-sources.csv"),
    sample!("shopify-inventory.csv"),
    sample!("square-items.csv"),
    sample!("with-mistakes.csv"),
    sample!("woocommerce-products.csv"),
];

#[test]
fn no_sample_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    let files = std::fs::read_dir(folder).expect("the samples").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "csv"))
    });
    assert_eq!(files.count(), SAMPLES.len());
}

#[test]
fn sample_of_two_stores() {
    check_bytes(
        sample!("berlin-madrid.csv"),
        "berlin-madrid.csv",
        &[
            "2 Berlin COFFEE-250 48",
            "3 Berlin COFFEE-1000 12",
            "4 Berlin FILTER-02 200",
            "5 Berlin GRINDER-HAND 4",
            "6 Berlin KETTLE-GOOSE 7",
            "7 Berlin MUG-BLUE 0",
            "8 Madrid COFFEE-250 36",
            "9 Madrid COFFEE-1000 3",
            "10 Madrid FILTER-02 150",
            "11 Madrid GRINDER-HAND 9",
            "12 Madrid KETTLE-GOOSE 5",
            "13 Madrid MUG-BLUE 24",
        ],
    );
}

#[test]
fn sample_from_a_spanish_excel() {
    check_bytes(
        sample!("existencias-es.csv"),
        "existencias-es.csv",
        &[
            "5 Cádiz CAFÉ-250 1250 (warn at 200)",
            "6 Cádiz AZÚCAR-1K 80",
            "7 Cádiz LEÑA-SACO 12 (warn at 15)",
            "8 Cádiz Jamón ibérico «5 J» 3 (warn at 4)",
            "9 Málaga CAFÉ-250 940 (warn at 200)",
            "10 Málaga AZÚCAR-1K 1100",
            "11 Málaga LEÑA-SACO 0 (warn at 15)",
            "12 Málaga Piñones 100 g 27 (warn at 10)",
        ],
    );
}

#[test]
fn sample_from_shopify() {
    check_bytes(
        sample!("shopify-inventory.csv"),
        "shopify-inventory.csv",
        &[
            "2 Berlin Mitte LS-S-WH 12",
            "3 Warehouse LS-S-WH 140",
            "4 Berlin Mitte LS-M-WH 3",
            "5 Warehouse LS-M-WH 80",
            "6 Berlin Mitte tote-bag 6",
            "7 On hand (current) \"not stocked\" not_stocked",
            "8 Berlin Mitte wool-scarf / Red 4",
            "9 Berlin Mitte wool-scarf / Grey 0",
        ],
    );
}

#[test]
fn sample_from_square() {
    check_bytes(
        sample!("square-items.csv"),
        "square-items.csv",
        &[
            "2 Harbour ESP-250 40 (warn at 10)",
            "2 Old Town ESP-250 6 (warn at 10)",
            "4 Harbour ESP-1000 15",
            "5 Harbour Cold brew 24",
            "5 Current Quantity Old Town \"many\" not_a_number",
            "6 New Quantity Harbour \"\" blank",
            "7 Harbour CUP-BL 0 (warn at 2)",
            "7 Old Town CUP-BL 30 (warn at 8)",
        ],
    );
}

#[test]
fn a_corrected_location_does_not_bring_the_others_along() {
    let text = String::from_utf8(rejected_file(sample!("square-items.csv"), "a.csv", Mode::Adjust)).expect("text");
    let corrected = text.replace(",many,", ",31,");
    let rows = crate::support::rows_of(corrected.as_bytes(), "a.csv", Mode::Adjust).expect("a table");
    assert_eq!(rows, ["2 Old Town Cold brew 31", "3 New Quantity Harbour \"\" blank"]);
}

#[test]
fn sample_from_woocommerce() {
    check_bytes(
        sample!("woocommerce-products.csv"),
        "stores/Online/products.csv",
        &[
            "2 Online BELT-01 14 (warn at 3)",
            "3 Online CAP-01 0",
            "4 Stock \"\" blank",
            "6 Online HOODIE-BL 7 (warn at 5)",
            "7 Online Hoodie - Green 2 (warn at 5)",
        ],
    );
    assert_eq!(refused(sample!("woocommerce-products.csv"), "products.csv").code(), "no_store");
}

#[test]
fn sample_from_magento() {
    check_bytes(
        sample!("magento-sources.csv"),
        "magento-sources.csv",
        &[
            "2 default 24-MB01 100",
            "3 default 24-MB04 87",
            "4 default 24-WB02 0",
            "5 madrid 24-MB01 12",
            "6 madrid 24-MB04 4",
            "7 lisboa 24-MB01 1250",
        ],
    );
}

#[test]
fn sample_with_mistakes() {
    let bytes = sample!("with-mistakes.csv");
    check_bytes(
        bytes,
        "with-mistakes.csv",
        &[
            "2 Berlin TEA-GREEN 30 (warn at 10)",
            "3 count \"-3\" negative",
            "4 count \"12.5\" not_whole",
            "5 sku \"\" blank",
            "6 count \"\" blank",
            "7 store \"\" blank",
            "8 - \"\" too_many_cells",
            "9 Berlin SIEVE 1200 (warn at 50)",
            "10 count \"about ten\" not_a_number",
            "11 count \"not stocked\" not_stocked",
            "12 Madrid TEA-GREEN 14 (warn at 10)",
            "13 Madrid TEA-CHAI 6",
            "14 Madrid TEA-CHAI 9",
            "15 Madrid TEA-MINT 20",
            "16 Madrid TEA-MINT 20",
            "17 count \"2000000000\" too_large",
            "18 threshold \"low\" not_a_number",
            "19 - \"Madrid,\\\"TEA-EARL,Earl Grey,4,\" open_quote",
            "20 count \"\" too_few_cells",
        ],
    );
    let layout = layout(bytes, "with-mistakes.csv").expect("a table");
    let duplicates = survey(bytes, &layout, Mode::Set).expect("within bounds").duplicates;
    assert_eq!(duplicates.verdict("Madrid", "TEA-CHAI", 13), Verdict::Conflict { other: 14 });
    assert_eq!(duplicates.verdict("Madrid", "TEA-CHAI", 14), Verdict::Conflict { other: 13 });
    assert_eq!(duplicates.verdict("Madrid", "TEA-MINT", 15), Verdict::Take);
    assert_eq!(duplicates.verdict("Madrid", "TEA-MINT", 16), Verdict::Repeated { first: 15 });
    assert_eq!(duplicates.verdict("Berlin", "TEA-GREEN", 2), Verdict::Take);
}

const SHOPIFY: &str =
    "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO";

#[test]
fn shopify_as_it_used_to_be() {
    check(
        &format!(
            "{SHOPIFY},Location,Incoming,Unavailable,Committed,Available,On hand\nh,T,Size,S,,,,,H-S,,,Shop,0,0,1,4,5\n"
        ),
        &["2 Shop H-S 5"],
    );
    check(&format!("{SHOPIFY},Location,Available\nh,T,Size,S,,,,,H-S,,,Shop,4\n"), &["2 Shop H-S 4"]);
    // one column for each location
    check(
        &format!(
            "{SHOPIFY},Main Street,Ware-house 2\nh,T,Size,S,,,,,H-S,,,4,not stocked\nh,T,Size,M,,,,,,,,,7\nmug,Mug,Title,Default Title,,,,,,,,0,1\n"
        ),
        &[
            "2 Main Street H-S 4",
            "2 Ware-house 2 \"not stocked\" not_stocked",
            "3 Ware-house 2 h / M 7",
            "4 Main Street mug 0",
            "4 Ware-house 2 mug 1",
        ],
    );
}

#[test]
fn shopify_products() {
    let header = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
                  Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,\
                  Variant Inventory Policy,Variant Price,Variant Barcode,Image Src,Image Position,Status";
    let rows = "shirt,Shirt,<p>x</p>,V,,,,true,Size,S,,,,,SH-S,100,shopify,5,deny,9.99,,https://x/1.png,1,active\n\
                shirt,,,,,,,,,M,,,,,,100,shopify,-2,continue,9.99,,,,\n\
                shirt,,,,,,,,,,,,,,,,,,,,,https://x/2.png,2,\n";
    check_bytes(
        format!("{header}\n{rows}").as_bytes(),
        "stores/Web/products_export.csv",
        &["2 Web SH-S 5", "3 Variant Inventory Qty \"-2\" negative"],
    );
}

#[test]
fn square_with_one_location_and_with_brackets() {
    check(
        "Token,Item Name,Variation Name,SKU,Current Quantity Acme,New Quantity Acme\nT,Tea,Regular,,5,\nT,Tea,Large,,6,2\n",
        &["2 Acme Tea 5", "3 Acme Tea / Large 2"],
    );
    check("Item Name,Variation Name,SKU,Current Quantity [Acme]\nTea,Regular,TEA,5\n", &["2 Acme TEA 5"]);
}

#[test]
fn magento_products() {
    check_bytes(
        b"sku,store_view_code,attribute_set_code,product_type,name,price,qty,out_of_stock_qty,notify_on_stock_below,is_in_stock\n\
          24-MB01,,Bag,simple,Joust,34,100.0000,0.0000,1.0000,1\n",
        "stores/default/products.csv",
        &["2 default 24-MB01 100 (warn at 1)"],
    );
}

#[test]
fn inventree() {
    check(
        "Stock Item ID,Part ID,Part Name,Quantity,Serial,Batch,Status,Location ID,Location Name,Supplier Part SKU\n\
         1,10,R_10K_0402,4000.00000,,,OK,5,Drawer 3,SKU-9\n",
        &["2 Drawer 3 R_10K_0402 4000"],
    );
    check_bytes(
        b"id,name,IPN,description,category,active,minimum_stock,in_stock,units\n1,Resistor,R-10K,x,2,True,10.0,250.0,\n",
        "stores/Lab/parts.csv",
        &["2 Lab R-10K 250 (warn at 10)"],
    );
    check("quantity,location,IPN,Name,minimum_stock\n5,Lab,R-10K,Resistor,\n", &["2 Lab R-10K 5"]);
}

#[test]
fn prestashop() {
    check_bytes(
        b"\"Product ID\";\"Name\";\"Reference\";\"Category\";\"Price (tax excl.)\";\"Quantity\";\"Status\"\n1;\"T-shirt\";\"demo_1\";\"Men\";\"19,12\";300;1\n",
        "stores/Web/product.csv",
        &["2 Web demo_1 300"],
    );
    check_bytes(
        b"Product;Reference;Supplier;Physical quantity;Reserved quantity;Available quantity\nMug;demo_11;X;12;2;10\n",
        "stores/Web/stock.csv",
        &["2 Web demo_11 12"],
    );
}

#[test]
fn odoo() {
    check(
        "Location,Product,Quantity,Reserved Quantity,Unit of Measure\nWH/Stock,[FURN_7777] Office Chair,\"1,250.00\",3.00,Units\n",
        &["2 WH/Stock [FURN_7777] Office Chair 1250"],
    );
    check(
        "\"Ubicación\",\"Producto\",\"Cantidad a mano\"\nWH/Existencias,Silla,12.0\n",
        &["2 WH/Existencias Silla 12"],
    );
    check_bytes(
        b"Internal Reference,Name,Quantity On Hand\nE-COM01,Desk,7.0\n",
        "stores/WH/x.csv",
        &["2 WH E-COM01 7"],
    );
}

#[test]
fn lightspeed() {
    check(
        "id,handle,sku,name,supply_price,retail_price,track_inventory,inventory_Main_Outlet,reorder_point_Main_Outlet,inventory_Airport\n\
         1,tea,10001,Tea,1.00,2.00,1,5,2,\n2,mug,10002,Mug,1.00,2.00,1,8,,3\n",
        &["2 Main Outlet 10001 5 (warn at 2)", "3 Main Outlet 10002 8", "3 Airport 10002 3"],
    );
    check(
        "Description,Custom SKU,UPC,Berlin - Quantity on Hand,Berlin - Reorder Point,Bonn - Quantity on Hand\nTea,T-1,,5,2,0\n",
        &["2 Berlin T-1 5 (warn at 2)", "2 Bonn T-1 0"],
    );
    check_bytes(
        b"Product - Product-ID,Variant - Article code,Variant - Stock Level,Variant - Stock Alert Level\n1,ART-1,5,2\n",
        "stores/Shop/x.csv",
        &["2 Shop ART-1 5 (warn at 2)"],
    );
}

#[test]
fn zoho_and_others() {
    check(
        "Item ID,Item Name,SKU,Status,Rate,Reorder Level,Warehouse Name,Stock On Hand\n1,Tea,T-1,Active,USD 2.00,10,Main,25.00\n",
        &["2 Main T-1 25 (warn at 10)"],
    );
    check("Almacén;Referencia;Descripción;Unidades\nCentral;R-1;Tornillo;1.500\n", &["2 Central R-1 1500"]);
    check("sucursal,clave,descripcion,existencia,minimo\nNorte,C-1,Tornillo,15,5\n", &["2 Norte C-1 15 (warn at 5)"]);
    check("Warehouse,Location,Item Code,Item Name,QOH\nMain,A-01-3,X-1,Bolt,40\n", &["2 Main X-1 40"]);
    check(
        "product_variant,sku,inventory_location,bin_location,incoming,on_hand,committed,available,low_stock_level\nT,8745,NYC,L2,5,10,5,5,20\n",
        &["2 NYC 8745 10 (warn at 20)"],
    );
    check("SKU;Nombre;Stock Berlín;Stock Madrid;Stock mínimo\nA;Té;5;7;2\n", &["2 Berlín A 5", "2 Madrid A 7"]);
    check(
        "Stock Location Id,Stock Location Name,Product Id,Product Name,Selling Units,Quantity,New Quantity\n1,Clinic,7,Gauze,Box,-3,0\n",
        &["2 Clinic Gauze 0"],
    );
}

#[test]
fn what_is_no_place_is_not_taken_for_one() {
    assert_eq!(refused(b"sku,stock status,stock value\nA,ok,9\n", "stores/X/a.csv").code(), "no_header");
    assert_eq!(refused(b"sku,inventory_policy,inventory_management\nA,deny,x\n", "stores/X/a.csv").code(), "no_header");
    check("sku,store,quantity,quantity reserved,quantity ordered\nA,X,5,1,2\n", &["2 X A 5"]);
    assert_eq!(refused(b"sku,Stock A,Stock B,stock_A\nA,1,2,3\n", "a.csv").code(), "two_columns");
}
