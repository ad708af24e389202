//! What columns are called, in English and Spanish.
//!
//! Names are compared by their letters and digits alone: without case, accents, spaces, underscores, hyphens and other
//! marks ([`letters`]). Each list below is one rank; of several columns for one role the best rank wins, and two of the
//! same rank are refused, because only their owner knows which is meant. Aliases are written with spaces to be read.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Which store.
pub(super) const STORE: &[&[&str]] = &[
    &[
        "store",
        "store name",
        "shop",
        "shop name",
        "outlet",
        "outlet name",
        "branch",
        "branch name",
        "tienda",
        "nombre de la tienda",
        "nombre tienda",
        "sucursal",
        "punto de venta",
        "local",
    ],
    // Magento: source_code. Before location, which beside a warehouse is a shelf
    &[
        "warehouse",
        "warehouse name",
        "source code",
        "inventory source",
        "almacen",
        "nombre del almacen",
        "nombre almacen",
        "bodega",
        "deposito",
    ],
    // InvenTree, Odoo: beside a `Location` that is a key number. The path before the name: only it tells two drawers of
    // one name apart
    &[
        "location path",
        "location pathstring",
        "location detail pathstring",
        "location complete name",
        "location full location name",
        "location id complete name",
        "location id display name",
        "ubicacion nombre completo",
        "ubicacion nombre completo de la ubicacion",
    ],
    &[
        "location name",
        "location title",
        "inventory location name",
        "stock location name",
        "location detail name",
        "location id name",
        "nombre de la ubicacion",
        "nombre ubicacion",
        "ubicacion nombre",
    ],
    // Shopify, Odoo: location
    &["location", "inventory location", "stock location", "ubicacion", "localizacion", "emplazamiento"],
    &["site", "site name", "sede", "centro", "source", "depot"],
    &[
        "store code",
        "store id",
        "shop id",
        "outlet id",
        "branch code",
        "branch id",
        "codigo tienda",
        "codigo de tienda",
        "cod tienda",
        "id tienda",
        "id shop",
    ],
    &[
        "warehouse code",
        "warehouse id",
        "codigo almacen",
        "codigo de almacen",
        "cod almacen",
        "id almacen",
        "id warehouse",
    ],
    // Odoo for a new import: location_id, which holds its name
    &["location code", "location id", "site code", "site id"],
];

/// Which item.
pub(super) const ITEM: &[&[&str]] = &[
    &["sku"],
    // PrestaShop: the variant's, beside the product's
    &["combination reference", "referencia de la combinacion", "referencia de combinacion", "referencia combinacion"],
    // Shopify products: Variant SKU; Lightspeed: Custom SKU, Variant - Stock keeping unit
    &[
        "variant sku",
        "item sku",
        "product sku",
        "custom sku",
        "sku code",
        "sku id",
        "seller sku",
        "variant stock keeping unit sku",
        "stock keeping unit",
        "codigo sku",
        "sku producto",
        "sku del producto",
    ],
    &[
        "item code",
        "item number",
        "item no",
        "codigo de articulo",
        "codigo articulo",
        "codigo del articulo",
        "cod articulo",
    ],
    &["product code", "product number", "codigo de producto", "codigo producto", "codigo del producto", "cod producto"],
    &["article number", "article code", "article no", "variant article code", "numero de articulo", "num articulo"],
    // PrestaShop, Odoo: Reference, Internal Reference
    &[
        "internal reference",
        "product reference",
        "referencia interna",
        "referencia del producto",
        "referencia producto",
        "default code",
        "product id default code",
        "product internal reference",
        "producto referencia interna",
        "product tmpl id default code",
    ],
    &["reference", "referencia", "ref"],
    &["code", "codigo", "clave", "cod"],
    // InvenTree: IPN
    &["ipn", "part ipn", "part detail ipn", "internal part number"],
    &["part number", "part no", "mpn", "manufact sku", "manufacturer sku", "numero de parte", "numero de pieza"],
    &["item", "articulo", "article"],
    &[
        "ean",
        "ean13",
        "gtin",
        "upc",
        "barcode",
        "variant barcode",
        "codigo de barras",
        "codigo barras",
        "isbn",
        "gtin upc ean or isbn",
        "gtin upc ean o isbn",
    ],
    &["item name", "nombre de articulo", "nombre del articulo", "nombre articulo"],
    &[
        "product name",
        "product title",
        "nombre de producto",
        "nombre del producto",
        "nombre producto",
        "part name",
        "part detail name",
        "product id name",
        "product id display name",
        "producto nombre",
        // QuickBooks Online
        "product service name",
        "nombre del producto servicio",
        "nombre de producto servicio",
        "nombre del producto o servicio",
    ],
    &["name", "nombre"],
    &["title", "titulo"],
    &["product", "producto", "part", "product service", "producto servicio"],
    &["description", "descripcion", "concepto", "denominacion"],
    &["handle", "url handle"],
    &["product id", "item id", "part id", "id product", "id producto", "id articulo"],
];

/// How many: a new count beside the current one, taken where it is filled in.
pub(super) const NEW_COUNT: &[&[&str]] = &[&["on hand new"], &["new quantity", "nueva cantidad"]];

/// How many.
pub(super) const COUNT: &[&[&str]] = &[
    &[
        "count",
        "counted",
        "counted quantity",
        "physical count",
        "conteo",
        "recuento",
        "cantidad contada",
        "existencias contadas",
    ],
    &["on hand current"],
    &[
        "on hand",
        "quantity on hand",
        "qty on hand",
        "on hand quantity",
        "on hand qty",
        "stock on hand",
        "units on hand",
        "inventory on hand",
        "qoh",
        "soh",
        "cantidad a mano",
        "cantidad a la mano",
        "a mano",
    ],
    // PrestaShop: physical quantity
    &[
        "physical quantity",
        "physical stock",
        "existencias fisicas",
        "stock fisico",
        "cantidad fisica",
        "stock real",
        "real quantity",
    ],
    &[
        "current quantity",
        "current stock",
        "stock actual",
        "existencia actual",
        "existencias actuales",
        "cantidad actual",
    ],
    &["quantity", "qty", "cantidad", "cant"],
    &[
        "stock quantity",
        "stock qty",
        "stock level",
        "variant stock level",
        "inventory quantity",
        "inventory qty",
        "inventory level",
        "variant inventory qty",
        "variant inventory quantity",
        "quantity in stock",
        "qty in stock",
        "units in stock",
        "cantidad en stock",
        "unidades en stock",
        "cantidad en existencia",
        "nivel de stock",
        "nivel de existencias",
        "in stock quantity",
        "stock count",
        "inventory count",
        // Odoo
        "inventory quantity auto apply",
        "inventoried quantity",
    ],
    &["stock", "existencias", "existencia"],
    &["unidades", "uds", "piezas"],
    &["inventory", "inventario"],
    // InvenTree parts: in_stock, beside the unit of measure (WooCommerce's "In stock?" is a yes or no, and has its question mark)
    &[
        "in stock",
        "en stock",
        "total in stock",
        "total stock",
        "stock total",
        "total quantity",
        "cantidad total",
        "saldo",
    ],
    &["units", "pieces"],
    &["opening stock", "initial stock", "stock inicial", "initial quantity", "inventario inicial"],
    // less than what is on the shelf where orders hold some: only when there is nothing better
    &[
        "available",
        "available quantity",
        "available qty",
        "available stock",
        "quantity available",
        "qty available",
        "available for sale",
        "available not editable",
        "disponible",
        "disponibles",
        "cantidad disponible",
        "stock disponible",
        "existencias disponibles",
        "unidades disponibles",
    ],
];

/// From how many on the shelf counts as low.
pub(super) const THRESHOLD: &[&[&str]] = &[
    &["threshold", "umbral"],
    // WooCommerce: Low stock amount; Square: Stock Alert Count; Magento: notify_on_stock_below
    &[
        "low stock amount",
        "low stock threshold",
        "low stock level",
        "low stock alert",
        "low stock",
        "stock alert count",
        "stock alert level",
        "variant stock alert level",
        "stock alert",
        "stock alert threshold",
        "alert quantity",
        "alert level",
        "notify on stock below",
        "notify stock qty",
        "notify for quantity below",
        "umbral de stock",
        "umbral de existencias",
        "umbral stock",
        "alerta de stock",
        "alerta de existencias",
        "stock bajo",
        "umbral de stock bajo",
        "nivel de stock bajo",
        "nivel de existencias bajas",
        "umbral de existencias bajas",
        "cantidad de bajo inventario",
        "cantidad de inventario bajo",
        "cantidad de bajo stock",
        "cantidad de existencias bajas",
        "cantidad de pocas existencias",
        "umbral de pocas existencias",
    ],
    &[
        "reorder point",
        "reorder level",
        "punto de pedido",
        "punto de reorden",
        "nivel de reorden",
        "punto de reposicion",
        "reorder pt",
        "reorder pt min",
        "reordering min qty",
        "product min qty",
    ],
    &[
        "minimum stock",
        "min stock",
        "stock minimum",
        "stock min",
        "minimum stock level",
        "min stock level",
        "variant minimum stock",
        "minimum on hand",
        "stock minimo",
        "existencia minima",
        "existencias minimas",
        "inventario minimo",
        "nivel minimo",
        "minimum",
        "minimo",
        "min",
    ],
    &["safety stock", "stock de seguridad", "par level"],
];

/// What tells one lot of an item from another. Where a file has such a column, the lines of an item are its lots, and its
/// count is their sum.
pub(super) const LOT: &[&str] = &[
    "lot",
    "lot id",
    "lot id name",
    "lot name",
    "lot no",
    "lot number",
    "lot code",
    "lot serial",
    "lot serial no",
    "lot serial number",
    "lote",
    "codigo de lote",
    "num lote",
    "numero lote",
    "numero de lote",
    "nº lote",
    "nº de lote",
    "lote serie",
    "lote n de serie",
    "lote nº de serie",
    "lote numero de serie",
    "numero de lote serie",
    "nº de lote serie",
    "batch",
    "batch code",
    "batch id",
    "batch no",
    "batch number",
    "serial",
    "serial no",
    "serial number",
    "numero de serie",
    "num serie",
    "nº serie",
    "nº de serie",
    "package",
    "package id",
    "package id name",
    "paquete",
    "stock item id",
    "best before",
    "expiration date",
    "expiry date",
    "caducidad",
    "fecha caducidad",
    "fecha de caducidad",
    "vencimiento",
    "fecha de vencimiento",
];

/// What WooCommerce asks in the column that says whether an item is there at all: with its question mark.
pub(super) const IN_STOCK: &[&str] =
    &["in stock", "existencias", "en inventario", "hay existencias", "en stock", "inventario"];

/// The letters and digits of a name, in lower case and without accents.
pub(super) fn letters(name: &str) -> String {
    name.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}

/// The rank of a column's name ([`letters`]) in one of the lists above; 0 is best.
pub(super) fn rank(name: &str, ranks: &[&[&str]]) -> Option<usize> {
    ranks.iter().position(|aliases| aliases.iter().any(|alias| is(name, alias)))
}

/// Is `name` ([`letters`]) this alias?
pub(super) fn is(name: &str, alias: &str) -> bool {
    alias.bytes().filter(|byte| *byte != b' ').eq(name.bytes())
}

/// What follows `prefix` in a column's name: `Current Quantity Berlin` → `Berlin`.
pub(super) fn after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let mut wanted = prefix.chars().filter(|c| *c != ' ').peekable();
    for (at, c) in name.char_indices() {
        if wanted.peek().is_none() {
            // `Stocking`, `Inventory2` do not end here
            return if c.is_alphanumeric() { None } else { name.get(at..).map(place_name) };
        }
        let mut same = String::new();
        same.push(c);
        for letter in letters(&same).chars() {
            if wanted.next() != Some(letter) {
                return None;
            }
        }
    }
    None
}

/// What stands before ` - suffix`: `Berlin - Quantity on Hand` → `Berlin`.
pub(super) fn before<'a>(name: &'a str, suffixes: &[&str]) -> Option<&'a str> {
    let (place, suffix) = name.rsplit_once(" - ")?;
    let suffix = letters(suffix);
    if suffixes.iter().any(|alias| is(&suffix, alias)) { Some(place_name(place)) } else { None }
}

fn place_name(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '_' | '-' | ':' | '(' | ')' | '[' | ']' | '–' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_letters() {
        assert_eq!(letters(" On hand (new) "), "onhandnew");
        assert_eq!(letters("Código_de-Artículo"), "codigodearticulo");
        assert_eq!(letters("ALMACÉN"), "almacen");
        assert_eq!(letters("Co\u{301}digo"), "codigo");
    }

    #[test]
    fn every_alias_is_written_as_it_is_compared_and_stands_in_one_rank_of_its_role() {
        for role in [STORE, ITEM, NEW_COUNT, COUNT, THRESHOLD, &[LOT], &[IN_STOCK]] {
            let mut seen = std::collections::BTreeSet::new();
            for alias in role.iter().copied().flatten() {
                assert_eq!(letters(alias), alias.replace(' ', ""), "{alias}");
                assert!(seen.insert(letters(alias)), "{alias} twice");
            }
        }
    }

    #[test]
    fn a_name_belongs_to_one_role() {
        let roles = [STORE, ITEM, NEW_COUNT, COUNT, THRESHOLD, &[LOT]];
        for (index, role) in roles.iter().enumerate() {
            for alias in role.iter().copied().flatten() {
                for other in &roles[index + 1..] {
                    assert_eq!(rank(&letters(alias), other), None, "{alias}");
                }
            }
        }
    }

    #[test]
    fn places_in_names() {
        assert_eq!(after("Current Quantity Berlin", "current quantity"), Some("Berlin"));
        assert_eq!(after("current_quantity_São Paulo", "current quantity"), Some("São Paulo"));
        assert_eq!(after("Current Quantity [Berlin Mitte]", "current quantity"), Some("Berlin Mitte"));
        assert_eq!(after("Current Quantity", "current quantity"), None);
        assert_eq!(after("Stocking", "stock"), None);
        assert_eq!(after("inventory_Main_Outlet", "inventory"), Some("Main_Outlet"));
        assert_eq!(before("Berlin - Quantity on Hand", &["quantity on hand"]), Some("Berlin"));
        assert_eq!(before("Berlin - Mitte - Quantity on Hand", &["quantity on hand"]), Some("Berlin - Mitte"));
        assert_eq!(before("Quantity on Hand", &["quantity on hand"]), None);
    }
}
