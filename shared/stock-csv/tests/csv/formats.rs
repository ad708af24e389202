//! The exports of shops and warehouses, with their real headers; and every file in `samples/`.

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{FileProblem, Lang, Reason, Role, Verdict};

use crate::support::{check, check_bytes, layout, refused, rejected_file, settled, survey};

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
        // line 6 says of itself that it holds no stock
        &[
            "2 Harbour ESP-250 40 (warn at 10)",
            "2 Old Town ESP-250 6 (warn at 10)",
            "4 Harbour ESP-1000 15",
            "5 Harbour Cold brew 24",
            "5 Current Quantity Old Town \"many\" not_a_number",
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
    assert_eq!(rows, ["2 Old Town Cold brew 31"]);
}

#[test]
fn sample_from_woocommerce() {
    check_bytes(
        sample!("woocommerce-products.csv"),
        "stores/Online/products.csv",
        &[
            "2 Online BELT-01 14 (warn at 3)",
            "3 Online CAP-01 0",
            "6 Online HOODIE-BL 7 (warn at 5)",
            "7 Online Hoodie - Green 2 (warn at 5)",
            "8 Stock \"\" blank",
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
    assert_eq!(duplicates.verdict("Madrid", "TEA-CHAI", 13), Verdict::Reject(Reason::Conflict { other: 14 }));
    assert_eq!(duplicates.verdict("Madrid", "TEA-CHAI", 14), Verdict::Reject(Reason::Conflict { other: 13 }));
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
fn shopify_products_since_2025() {
    let header = "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,\
                  Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,Price,Charge tax,Inventory tracker,\
                  Inventory quantity,Continue selling when out of stock,Product image URL,Image position";
    let rows = "Tee,tee,Soft,Acme,,,,true,active,TEE-S,,Size,S,,,,20,true,shopify,12,deny,https://x/1,1\n\
                ,tee,,,,,,,,,,,M,,,Red,20,true,shopify,4,deny,,\n\
                ,tee,,,,,,,,,,,,,,,,,,,,https://x/2,2\n\
                Mug,mug,,Acme,,,,true,active,,,Title,Default Title,,,,9,true,shopify,7,deny,,\n";
    check_bytes(
        format!("{header}\n{rows}").as_bytes(),
        "stores/Web/products_export.csv",
        &["2 Web TEE-S 12", "3 Web tee / M / Red 4", "5 Web mug 7"],
    );
}

#[test]
fn woocommerce_in_spanish() {
    for question in ["¿Existencias?", "¿En inventario?", "¿Hay existencias?"] {
        let file = format!(
            "\u{feff}ID,Tipo,SKU,\"GTIN, UPC, EAN o ISBN\",Nombre,Publicado,\"Descripción corta\",{question},Inventario,\
             \"Cantidad de bajo inventario\",\"¿Permitir reservas de productos agotados?\",\"Precio normal\"\n\
             101,simple,TAZA-AZ,,Taza azul,1,Una taza,1,14,3,0,18.50\n\
             102,simple,,8412345678905,Taza roja,1,,1,2,,0,18.50\n\
             103,variable,CAM,,Camiseta,1,,1,,,0,\n\
             104,variation,,,Camiseta - M,1,,0,0,5,0,25\n\
             105,\"simple, virtual\",VALE,,Tarjeta regalo,1,,1,,,0,50\n\
             106,grouped,LOTE,,Dos tazas,1,,1,,,0,\n\
             107,variable,GORRA,,Gorra,1,,1,9,,0,\n\
             108,simple,HARINA,,Harina a granel,1,,backorder,-3,5,notify,2\n"
        );
        check_bytes(
            file.as_bytes(),
            "stores/Web/productos.csv",
            &[
                "2 Web TAZA-AZ 14 (warn at 3)",
                "3 Web Taza roja 2",
                "5 Web Camiseta - M 0 (warn at 5)",
                "6 Inventario \"\" blank",
                // stock that all variations share is counted at the product
                "8 Web GORRA 9",
                "9 Inventario \"-3\" negative",
            ],
        );
    }
}

#[test]
fn square_with_one_location_and_with_brackets() {
    check(
        "Token,Item Name,Variation Name,SKU,Current Quantity Acme,New Quantity Acme\nT,Tea,Regular,,5,\nT,Tea,Large,,6,2\n",
        &["2 Acme Tea 5", "3 Acme Tea / Large 2"],
    );
    check("Item Name,Variation Name,SKU,Current Quantity [Acme]\nTea,Regular,TEA,5\n", &["2 Acme TEA 5"]);
    check(
        "Item Name,Variation Name,SKU,Stockable,Current Quantity Acme\nRepair,Regular,,N,\nTea,Regular,,Y,\nCup,Regular,,N,2\n",
        &["3 Current Quantity Acme \"\" blank", "4 Acme Cup 2"],
    );
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
    // as it is today: keys beside names, and not every part has its number
    check(
        "ID,Part,Quantity,Serial Number,Batch Code,Location,Belongs To,Status,In Stock,Part.Name,Part.IPN,Location.Name,Location.Path\n\
         1,10,100,,B1,3,,10,True,M3 screw,SCR-M3,Drawer A,Lab/Drawer A\n\
         2,11,50,,,3,,10,True,Resistor,,Drawer A,Lab/Drawer A\n",
        &["2 Lab/Drawer A SCR-M3 100", "3 Lab/Drawer A Resistor 50"],
    );
    check("part,location,Location Name,IPN,quantity\n10,3,Drawer A,SCR-M3,4\n", &["2 Drawer A SCR-M3 4"]);
}

#[test]
fn lots_are_added_up() {
    let odoo = "\"Location\",\"Product\",\"Lot/Serial Number\",\"Package\",\"Available Quantity\",\"Quantity\",\"Unit of Measure\"\n\
                WH/Stock,[E-COM07] Cabinet,LOT-1,,5.00,6.00,Units\n\
                WH/Stock,[E-COM07] Cabinet,LOT-2,,6.00,6.00,Units\n\
                WH/Shelf,[E-COM07] Cabinet,LOT-2,,1.00,1.00,Units\n\
                WH/Stock,[E-COM07] Cabinet,LOT-3,,8.00,\"1,008.00\",Units\n";
    assert_eq!(
        settled(odoo, Mode::Set),
        ["2 WH/Stock [E-COM07] Cabinet 1020", "3 = 2", "4 WH/Shelf [E-COM07] Cabinet 1", "5 = 2"]
    );
    for column in ["Batch Code", "lot_id/name", "Número de lote/serie", "Nº de serie", "serial_number", "Caducidad"] {
        let file = format!("Location Name,IPN,{column},Quantity\nA,S,x,100\nA,S,y,100\nA,R,,5\n");
        assert_eq!(settled(&file, Mode::Set), ["2 A S 200", "3 = 2", "4 A R 5"], "{column}");
    }
    // what a file adds is added up, too
    let file = "store,sku,lot,quantity\nA,S,x,10\nA,S,y,-12\nA,S,z,1\n";
    assert_eq!(settled(file, Mode::Adjust), ["2 A S -1", "3 = 2", "4 = 2"]);
    // the threshold is the item's: it may stand on one of its lines, and must not differ
    let file = "store,sku,lot,quantity,minimum stock\nA,S,x,10,\nA,S,y,10,4\nA,T,x,1,2\nA,T,y,1,3\nA,T,z,1,2\n";
    assert_eq!(settled(file, Mode::Set), ["2 A S 20 (warn at 4)", "3 = 2", "4 conflict", "5 conflict", "6 conflict"]);
    // a header without such a column: nobody can tell a lot from a line that was pasted twice
    let file = "store,sku,quantity\nA,S,10\nA,S,10\nA,T,1\nA,T,2\n";
    assert_eq!(settled(file, Mode::Set), ["2 A S 10", "3 = 2", "4 conflict", "5 conflict"]);
}

#[test]
fn a_sum_is_taken_whole_or_not_at_all() {
    let file = "store,sku,lot,quantity\nA,S,x,10\nA,T,x,1\nA,S,y,some\nA,S,z,5\nA,U,x,\nA,U,y,4\nB,S,x,3\n";
    assert_eq!(
        settled(file, Mode::Set),
        [
            "2 other_lot",
            "3 A T 1",
            "4 quantity \"some\" not_a_number",
            "5 other_lot",
            "6 quantity \"\" blank",
            "7 other_lot",
            "8 B S 3"
        ]
    );
    // oversold without a lot, and a lot behind it: what is there is neither of both
    let file = "Location,Product,Lot/Serial Number,Quantity\nWH,Desk,,-3.00\nWH,Desk,L1,8.00\n";
    assert_eq!(settled(file, Mode::Set), ["2 Quantity \"-3.00\" negative", "3 other_lot"]);
    let file = "store,sku,lot,quantity\nA,S,x,999999999\nA,S,y,1\nA,T,x,999999999\nA,T,y,2\n";
    assert_eq!(settled(file, Mode::Set), ["2 A S 1000000000", "3 = 2", "4 too_large", "5 too_large"]);
    let file = "sku,lot,stock a,stock b\nS,x,1,2\nS,y,1,?\n";
    assert_eq!(settled(file, Mode::Set), ["2 a S 2", "2 other_lot", "3 = 2", "3 stock b \"?\" not_a_number"]);
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
    check_bytes(
        "\"ID\";\"Imagen\";\"Nombre\";\"Referencia\";\"Categoría\";\"Precio (imp. excl.)\";\"Cantidad\";\"Estado\"\n\
         1;x;Camiseta;demo_1;Hombre;23,9 €;2400;1\n7;x;Cojín;;Hogar;18,9 €;12;0\n"
            .as_bytes(),
        "stores/Web/product.csv",
        &["2 Web demo_1 2400", "3 Web Cojín 12"],
    );
}

#[test]
fn prestashop_combinations_are_items_of_their_own() {
    let rows = "1;1;demo_1;demo_1_s_w;T-shirt;Size - S, Color - White;;1;300;0;300\n\
                1;2;demo_1;demo_1_s_b;T-shirt;Size - S, Color - Black;;1;300;2;298\n\
                2;9;demo_3;;Sweater;Size - S;;1;12;0;12\n\
                2;10;demo_3;;Sweater;Size - M;;1;12;0;12\n\
                3;11;;;Scarf;Color - Red;;1;1;0;1\n\
                6;0;demo_11;;Mug;;;1;40;1;39\n";
    let expected = [
        "2 Web demo_1_s_w 300",
        "3 Web demo_1_s_b 300",
        "4 Web demo_3 / Size - S 12",
        "5 Web demo_3 / Size - M 12",
        "6 Web Scarf / Color - Red 1",
        "7 Web demo_11 40",
    ];
    for header in [
        "Product ID;Combination ID;Product reference;Combination reference;Product name;Combination name;Supplier;Status;\
         Physical quantity;Reserved quantity;Available quantity",
        "ID de producto;ID de combinación;Referencia del producto;Referencia de la combinación;Nombre del producto;\
         Nombre de la combinación;Proveedor;Estado;Cantidad física;Cantidad reservada;Cantidad disponible",
    ] {
        check_bytes(format!("{header}\n{rows}").as_bytes(), "stores/Web/stock.csv", &expected);
    }
    check_bytes(
        b"Product reference;Combination name;Quantity\ndemo_3;Size - S;12\ndemo_3;Size - M;7\ndemo_11;;4\n",
        "stores/Web/stock.csv",
        &["2 Web demo_3 / Size - S 12", "3 Web demo_3 / Size - M 7", "4 Web demo_11 4"],
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
    check_bytes(
        b"\"Internal Reference\",\"Name\",\"Sales Price\",\"Quantity On Hand\",\"Forecasted Quantity\"\n\
          E-COM07,Large Cabinet,320.0,250.0,240.0\n,Gift card,50,3.0,3.0\n",
        "stores/WH/x.csv",
        &["2 WH E-COM07 250", "3 WH Gift card 3"],
    );
}

#[test]
fn odoo_for_a_new_import() {
    check(
        "\"id\",\"location_id/complete_name\",\"product_id/default_code\",\"product_id/name\",\"inventory_quantity\",\"quantity\"\n\
         __export__.stock_quant_1,WH/Stock,FURN_0096,Desk,0.0,45.0\n__export__.stock_quant_2,WH/Stock,,Cabinet,0.0,3.0\n",
        &["2 WH/Stock FURN_0096 45", "3 WH/Stock Cabinet 3"],
    );
    check(
        "product_id/default_code,inventory_quantity,location_id\nFURN_0096,45.0,WH/Stock\n",
        &["2 WH/Stock FURN_0096 45"],
    );
    check("location_id,product_id,quantity\nWH/Stock,[F] Desk,45.0\n", &["2 WH/Stock [F] Desk 45"]);
    check(
        "Ubicación/Nombre completo,Producto/Referencia interna,Producto/Nombre,Cantidad\nALM/Existencias,REF01,Silla,4\nALM/Existencias,,Mesa,2\n",
        &["2 ALM/Existencias REF01 4", "3 ALM/Existencias Mesa 2"],
    );
    check_bytes(
        b"default_code,name,qty_available,virtual_available,reordering_min_qty\nE-1,Desk,7.0,9.0,2.0\n",
        "stores/WH/x.csv",
        &["2 WH E-1 7 (warn at 2)"],
    );
    // what was not counted yet is 0 there, and would empty the shelf
    let problem = refused(b"Location,Product,Quantity,Counted Quantity\nWH/Stock,Desk,45.00,0.00\n", "a.csv");
    let columns = ["Counted Quantity".to_owned(), "Quantity".to_owned()];
    assert_eq!(problem, FileProblem::TwoColumns { role: Role::Count, columns });
}

#[test]
fn quickbooks_online() {
    check_bytes(
        b"Product/Service Name,Sales Description,SKU,Type,Sales Price / Rate,Quantity On Hand,Reorder Point,Quantity as-of Date\n\
          Design:Rock Fountain,Rock Fountain,RF-1,Inventory,275.00,2,1,10/01/2026\n\
          Design:Pump,Fountain Pump,,Inventory,15.00,25.00,,10/01/2026\n\
          Hours,,,Service,,,,\nHose,,,Inventory,,,,\n",
        "stores/Shop/x.csv",
        &["2 Shop RF-1 2 (warn at 1)", "3 Shop Design:Pump 25", "5 Quantity On Hand \"\" blank"],
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
    check(
        "id,handle,sku,name,track_inventory,inventory_Main_Outlet\n1,fix,10003,Repair,0,\n2,tea,10001,Tea,1,5\n",
        &["3 Main Outlet 10001 5"],
    );
    check_bytes(
        b"\"System ID\",\"UPC\",\"EAN\",\"Custom SKU\",\"Manufact. SKU\",\"Item\",\"Vendor ID\",\"Qty.\",\"Price\"\n\
          210000000001,,,BK-01,,Bike helmet,,8,$49.00\n210000000002,012345678905,,,,Inner tube,,42,$6.00\n\
          210000000003,,,,,Patch kit,,9,$2.00\n",
        "stores/Shop/items.csv",
        &["2 Shop BK-01 8", "3 Shop 012345678905 42", "4 Shop Patch kit 9"],
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
    check(
        "SKU;Nombre;Stock Berlín;Stock Madrid;Stock mínimo\nA;Té;5;7;2\n",
        &["2 Berlín A 5 (warn at 2)", "2 Madrid A 7 (warn at 2)"],
    );
    check(
        "Stock Location Id,Stock Location Name,Product Id,Product Name,Selling Units,Quantity,New Quantity\n1,Clinic,7,Gauze,Box,-3,0\n",
        &["2 Clinic Gauze 0"],
    );
}

#[test]
fn one_threshold_for_all_places_or_one_for_each() {
    check(
        "Código;Descripción;Stock Madrid;Stock Sevilla;Stock mínimo;PVP\nA-1;Vela;12;3;5;4,50\nA-2;Vela;40;;10;2,00\n",
        &["2 Madrid A-1 12 (warn at 5)", "2 Sevilla A-1 3 (warn at 5)", "3 Madrid A-2 40 (warn at 10)"],
    );
    check(
        "Código;Stock Madrid;Mínimo Madrid;Stock Sevilla;Stock mínimo\nA;12;3;4;5\n",
        &["2 Madrid A 12 (warn at 3)", "2 Sevilla A 4 (warn at 5)"],
    );
    check(
        "Item Number,Item Name,Qty 1,Qty 2,Reorder Point 1,Regular Price\n1001,Belt,4,7,2,20\n",
        &["2 1 1001 4 (warn at 2)", "2 2 1001 7"],
    );
    // a column for each town, and nothing that says what it counts
    let problem = refused("Código;Descripción;Madrid;Sevilla;Mínimo\nA;Vela;12;3;5\n".as_bytes(), "a.csv");
    assert_eq!(
        problem.text(Lang::Es),
        "No se reconoce ningún encabezado en las primeras 20 filas. Falta la cantidad («count», «existencias», «cantidad»…) y \
         la tienda («store», «tienda», «location»…). Se encontró: «Código», «Descripción», «Madrid», «Sevilla», «Mínimo». \
         Si cada tienda tiene su propia columna, dígalo en el nombre: «Stock Madrid», «Stock Sevilla»."
    );
    assert!(problem.text(Lang::En).ends_with("its name must say so: “Stock Madrid”, “Stock Berlin”."));
}

#[test]
fn a_store_on_the_first_row_of_its_block_only() {
    // a part may begin in the middle of a block: each row names its store
    check(
        "Tienda;Artículo;Uds.;Mín.\nCentro;Tornillo;1.250;200\n;Martillo;12;5\n",
        &["2 Centro Tornillo 1250 (warn at 200)", "3 Tienda \"\" blank"],
    );
}

#[test]
fn the_refusal_for_want_of_a_store_names_every_way_to_give_it() {
    let problem = refused(b"Producto;Stock\nMiel;14\n", "miel.csv");
    assert_eq!(
        problem.text(Lang::Es),
        "No se sabe de qué tienda son las filas: añada una columna «tienda», o dígala al subir el archivo: en el campo «Tienda» de \
         la página, con «--store NOMBRE» en la línea de órdenes, o en su ruta, «stores/NombreDeLaTienda/archivo.csv». \
         Columnas: «Producto», «Stock»."
    );
    assert_eq!(
        problem.text(Lang::En),
        "It is not said which store the rows are of: add a column “store”, or name the store when you upload the file: in the \
         page's field “Store”, by “--store NAME” on the command line, or in its path, “stores/NameOfTheStore/file.csv”. \
         Columns: «Producto», «Stock»."
    );
}

#[test]
fn what_is_no_place_is_not_taken_for_one() {
    assert_eq!(refused(b"sku,stock status,stock value\nA,ok,9\n", "stores/X/a.csv").code(), "no_header");
    assert_eq!(refused(b"sku,inventory_policy,inventory_management\nA,deny,x\n", "stores/X/a.csv").code(), "no_header");
    check("sku,store,quantity,quantity reserved,quantity ordered\nA,X,5,1,2\n", &["2 X A 5"]);
    assert_eq!(refused(b"sku,Stock A,Stock B,stock_A\nA,1,2,3\n", "a.csv").code(), "two_columns");
}
