//! Which column means what.

use crate::aliases;
use crate::limits::{COLUMNS_MAX, HEADER_BYTES_MAX, LOCATIONS_MAX};
use crate::problem::{FileProblem, Role};
use almacen_domain::kernel::name::StoreId;

/// What the columns of a file mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// Ways to name the item, best first; a row takes the first that is not blank.
    pub(super) items: Vec<ItemName>,
    /// Where stores and counts stand.
    pub(super) shape: Shape,
    /// Columns that say of a row without a count that it has none to give.
    pub(super) uncounted: Vec<Uncounted>,
    /// Are the lines of an item its lots, which add up?
    pub(super) lots: bool,
}

/// A column by which an export marks what holds no stock of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uncounted {
    /// The column.
    pub(super) column: usize,
    /// What stands there then, in lower case; of several words between commas it is the first.
    pub(super) words: &'static [&'static str],
}

/// A way to name the item: one column, or several joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemName {
    /// The columns, in the order their cells are joined.
    pub(super) columns: Vec<usize>,
}

/// One store in a row, or one store in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A row speaks of one store.
    Long {
        /// Which.
        store: StoreFrom,
        /// Its count.
        counts: Counts,
    },
    /// A row speaks of all these stores.
    Wide(Vec<Place>),
}

/// Where a row's store comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoreFrom {
    /// A column.
    Column(usize),
    /// The object's key.
    Key(StoreId),
}

/// One store's columns in a wide file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Which store.
    pub(super) store: StoreId,
    /// Its columns.
    pub(super) counts: Counts,
}

/// The columns with numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Columns with the count, best first; a row takes the first that is not blank.
    pub(super) counts: Vec<usize>,
    /// Column with the threshold.
    pub(super) threshold: Option<usize>,
    /// Column that says whether the threshold is used.
    pub(super) enabled: Option<usize>,
}

impl Columns {
    pub(super) fn fixed_store(&self) -> Option<&StoreId> {
        match &self.shape {
            Shape::Long { store: StoreFrom::Key(store), .. } => Some(store),
            Shape::Long { store: StoreFrom::Column(_), .. } | Shape::Wide(_) => None,
        }
    }

    /// How many roles the header names: what tells a good reading from a better one.
    pub(super) fn roles(&self) -> usize {
        match &self.shape {
            Shape::Long { store, counts } => {
                2 + usize::from(matches!(store, StoreFrom::Column(_))) + usize::from(counts.threshold.is_some())
            }
            Shape::Wide(places) => 2 + places.len(),
        }
    }

    pub(super) fn is_wide(&self) -> bool {
        match self.shape {
            Shape::Wide(_) => true,
            Shape::Long { .. } => false,
        }
    }
}

/// Why a row is no header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// It lacks these.
    Lacks(Vec<Role>),
    /// It is one, but the file cannot be read.
    Refused(FileProblem),
}

/// What a wide column's name may not go on with: `Stock status` is no place called `status`.
const NO_PLACES: &[&str] = &[
    "status",
    "estado",
    "policy",
    "politica",
    "tracker",
    "tracking",
    "tracked",
    "value",
    "valor",
    "price",
    "precio",
    "cost",
    "coste",
    "costo",
    "alert",
    "alerta",
    "account",
    "asset",
    "min",
    "max",
    "limit",
    "management",
    "managed",
    "manage",
    "unit",
    "unidad",
    "uom",
    "sold",
    "vendid",
    "reserved",
    "reservad",
    "commit",
    "compromet",
    "ordered",
    "pedid",
    "incoming",
    "entrante",
    "total",
    "backorder",
    "keeping",
    "code",
    "codigo",
    "name",
    "nombre",
    "date",
    "fecha",
    "type",
    "tipo",
    "id",
    "item",
    "adjust",
    "ajuste",
    "per",
    "por",
    "level",
    "nivel",
    "availab",
    "disponib",
    "qty",
    "quantity",
    "cantidad",
    "count",
    "on hand",
    "location",
    "ubicacion",
    "seguridad",
    "de ",
    "note",
    "nota",
    "in transit",
    "en transito",
    "damaged",
    "discount",
    "days",
    "dias",
    "turn",
    "rotacion",
    "expected",
    "increment",
    "step",
    "use config",
    "minim",
    "maxim",
];

/// The same, where nothing follows: `Stock real`, but `Stock Real Madrid`.
const NO_PLACES_ALONE: &[&str] =
    &["actual", "current", "real", "fisico", "physical", "inicial", "initial", "opening", "free", "libre"];

/// Exports whose items often lack their code: all of these columns tell the export, and what to take instead, best first;
/// several are joined. In any other file a blank code is a mistake.
const FALLBACKS: &[(&[&str], &[&[&str]])] = &[
    // PrestaShop's stock: only with the combination's name is a variant told from the others of its product
    (
        &["product reference", "combination name"],
        &[&["product reference", "combination name"], &["product name", "combination name"]],
    ),
    (
        &["referencia del producto", "nombre de la combinacion"],
        &[
            &["referencia del producto", "nombre de la combinacion"],
            &["nombre del producto", "nombre de la combinacion"],
        ],
    ),
    // PrestaShop's list of products
    (&["reference", "name", "price tax excl"], &[&["name"]]),
    (&["referencia", "nombre", "precio imp excl"], &[&["nombre"]]),
    // Lightspeed R-Series
    (
        &["system id", "custom sku"],
        &[&["custom sku"], &["upc"], &["ean"], &["manufact sku"], &["item"], &["description"], &["system id"]],
    ),
    // QuickBooks Online
    (&["product service name"], &[&["product service name"]]),
    // Zoho
    (&["item name", "sku", "warehouse name"], &[&["item name"]]),
    // InvenTree
    (&["part ipn", "part name"], &[&["part name"]]),
    (&["ipn", "part name"], &[&["part name"]]),
    (&["part detail ipn", "part detail name"], &[&["part detail name"]]),
    (&["ipn", "name"], &[&["name"]]),
    // Odoo: products, and stock as it is exported to be imported again
    (&["internal reference", "name"], &[&["name", "variant values"]]),
    (&["referencia interna", "nombre"], &[&["nombre", "valores de variante"]]),
    (&["default code", "name"], &[&["name", "product template variant value ids"]]),
    (&["product id default code"], &[&["product id display name"], &["product id name"], &["product id"]]),
    (&["product internal reference"], &[&["product name"], &["product"]]),
    (&["producto referencia interna"], &[&["producto nombre"], &["producto"]]),
];

/// Reads a row as a header. `key_store` is what the object's key says, for a file without a store column.
pub(super) fn recognise(cells: &[String], key_store: Option<&StoreId>) -> Result<Columns, Miss> {
    let names: Vec<String> = cells
        .iter()
        // a question is answered with yes or no (WooCommerce: `In stock?`), and `_line` is one of ours
        .map(|cell| if cell.contains('?') || cell.starts_with('_') { String::new() } else { aliases::letters(cell) })
        .collect();
    let header = Header { cells, names: &names };

    let item = header.best(Role::Item, aliases::ITEM).map_err(Miss::Refused)?;
    let store = header.best(Role::Store, aliases::STORE).map_err(Miss::Refused)?;
    let count = header.best_count().map_err(Miss::Refused)?;

    let mut places = Vec::new();
    if store.is_none() {
        places = header.places(count.is_empty()).map_err(Miss::Refused)?;
    }
    let mut lacks = Vec::new();
    if item.is_none() {
        lacks.push(Role::Item);
    }
    if count.is_empty() && places.is_empty() {
        lacks.push(Role::Count);
    }
    let Some(item) = item.filter(|_| lacks.is_empty()) else {
        if store.is_none() && key_store.is_none() {
            lacks.push(Role::Store);
        }
        return Err(Miss::Lacks(lacks));
    };
    if cells.len() > COLUMNS_MAX || cells.iter().map(String::len).sum::<usize>() > HEADER_BYTES_MAX {
        return Err(Miss::Refused(FileProblem::HeaderTooLong));
    }
    let (items, uncounted) = (header.items(item), header.uncounted());
    let lots = names.iter().any(|name| aliases::LOT.iter().any(|alias| aliases::is(name, alias)));
    let threshold = header.best(Role::Threshold, aliases::THRESHOLD).map_err(Miss::Refused)?;
    if !places.is_empty() {
        for place in &mut places {
            // one threshold for all of them, beside the places' own
            if place.counts.enabled.is_none() {
                place.counts.threshold = place.counts.threshold.or(threshold);
            }
        }
        return Ok(Columns { items, shape: Shape::Wide(places), uncounted, lots });
    }
    let from = match (store, key_store) {
        (Some(column), _) => StoreFrom::Column(column),
        (None, Some(store)) => StoreFrom::Key(store.clone()),
        (None, None) => return Err(Miss::Refused(FileProblem::NoStore { found: shown(cells) })),
    };
    let enabled = header.find("stock alert enabled");
    let shape = Shape::Long { store: from, counts: Counts { counts: count, threshold, enabled } };
    Ok(Columns { items, shape, uncounted, lots })
}

/// The first cells that are not blank, for a message.
pub(super) fn shown(cells: &[String]) -> Vec<String> {
    cells.iter().filter(|cell| !cell.is_empty()).take(10).map(|cell| cell.chars().take(40).collect()).collect()
}

struct Header<'a> {
    cells: &'a [String],
    /// Their letters.
    names: &'a [String],
}

impl Header<'_> {
    fn find(&self, alias: &str) -> Option<usize> {
        self.names.iter().position(|name| aliases::is(name, alias))
    }

    fn cell(&self, column: usize) -> String {
        self.cells.get(column).map(|cell| cell.chars().take(100).collect()).unwrap_or_default()
    }

    /// The column with the best rank; two of them cannot be told apart.
    fn best(&self, role: Role, ranks: &[&[&str]]) -> Result<Option<usize>, FileProblem> {
        let mut best: Option<(usize, usize)> = None;
        let mut tied = None;
        for (column, name) in self.names.iter().enumerate() {
            let Some(rank) = aliases::rank(name, ranks) else { continue };
            match best {
                Some((least, first)) if rank == least => tied = tied.or(Some((first, column))),
                Some((least, _)) if rank > least => {}
                Some(_) | None => {
                    best = Some((rank, column));
                    tied = None;
                }
            }
        }
        match tied {
            Some((a, b)) => Err(FileProblem::TwoColumns { role, columns: [self.cell(a), self.cell(b)] }),
            None => Ok(best.map(|(_, column)| column)),
        }
    }

    /// The count's columns: a new count, where there is one, before the current one.
    fn best_count(&self) -> Result<Vec<usize>, FileProblem> {
        let any = |aliases: &[&str]| aliases.iter().find_map(|alias| self.find(alias));
        if let (Some(counted), Some(current), Some(_), Some(_)) = (
            any(&["counted quantity", "cantidad contada"]),
            any(&["quantity", "on hand quantity", "cantidad", "cantidad a mano"]),
            any(&["product", "producto"]),
            any(&["location", "ubicacion"]),
        ) {
            // Odoo's stock: what was not counted yet has 0.00 as its counted quantity. In a sheet by hand it would be 0
            let columns = [self.cell(counted), self.cell(current)];
            return Err(FileProblem::TwoColumns { role: Role::Count, columns });
        }
        let new = self.best(Role::Count, aliases::NEW_COUNT)?;
        let current = self.best(Role::Count, aliases::COUNT)?;
        Ok(new.into_iter().chain(current).collect())
    }

    /// The columns of these names, as far as they are there.
    fn all(&self, aliases: &[&str]) -> Vec<usize> {
        aliases.iter().filter_map(|alias| self.find(alias)).collect()
    }

    /// Is this WooCommerce's list of products?
    fn is_woocommerce(&self) -> bool {
        self.cells.iter().filter(|cell| cell.contains('?')).any(|cell| {
            let letters = aliases::letters(cell);
            aliases::IN_STOCK.iter().any(|alias| aliases::is(&letters, alias))
        })
    }

    /// The ways to name the item: the best column, and behind it what well-known exports use where that is blank.
    fn items(&self, best: usize) -> Vec<ItemName> {
        let mut ways = vec![vec![best]];
        let handle = if self.find("handle").is_some() { "handle" } else { "url handle" };
        if self.find("option1 value").is_some() && self.find(handle).is_some() {
            // Shopify: the product's handle and the variant's options
            ways.push(self.all(&[handle, "option1 value", "option2 value", "option3 value"]));
        } else if self.find("variation name").is_some() && self.find("item name").is_some() {
            // Square: the item's name and the variation's
            ways.push(self.all(&["item name", "variation name"]));
        } else if self.is_woocommerce() {
            // WooCommerce: the name, which names the variation too
            ways.push(self.all(&["name"]));
            ways.push(self.all(&["nombre"]));
        } else {
            for (marks, names) in FALLBACKS {
                if marks.iter().all(|mark| self.find(mark).is_some()) {
                    ways.extend(names.iter().map(|columns| self.all(columns)));
                }
            }
        }
        // where the best column is itself the first of a joined way, only the joined one tells variants apart
        if ways.iter().skip(1).any(|way| way.len() > 1 && way.first() == Some(&best)) {
            ways.remove(0);
        }
        let mut items: Vec<ItemName> = Vec::with_capacity(ways.len());
        for columns in ways {
            let way = ItemName { columns };
            if !way.columns.is_empty() && !items.contains(&way) {
                items.push(way);
            }
        }
        items
    }

    /// The columns by which well-known exports mark what holds no stock of its own.
    fn uncounted(&self) -> Vec<Uncounted> {
        let mut found = Vec::new();
        let mut mark = |column: Option<usize>, words| found.extend(column.map(|column| Uncounted { column, words }));
        if self.is_woocommerce() {
            let words = &["variable", "variable-subscription", "grouped", "external"];
            mark(self.find("type").or_else(|| self.find("tipo")), words);
        } else if self.find("variation name").is_some() {
            mark(self.find("stockable"), &["n", "no"]);
        } else if self.find("product service name").is_some() {
            mark(self.find("type"), &["service", "noninventory", "non-inventory", "bundle", "category"]);
        } else {
            mark(self.find("track inventory"), &["0", "false", "n", "no"]);
        }
        found
    }

    /// One store a column.
    fn places(&self, no_count: bool) -> Result<Vec<Place>, FileProblem> {
        let mut found = Places::default();
        for (column, cell) in self.cells.iter().enumerate() {
            // Square
            if let Some(place) = aliases::after(cell, "new quantity") {
                found.add(place, Kind::NewCount, column, self)?;
            } else if let Some(place) = aliases::after(cell, "current quantity") {
                found.add(place, Kind::Count, column, self)?;
            } else if let Some(place) = aliases::after(cell, "stock alert count") {
                found.add(place, Kind::Threshold, column, self)?;
            } else if let Some(place) = aliases::after(cell, "stock alert enabled") {
                found.add(place, Kind::Enabled, column, self)?;
            // Lightspeed X-Series: inventory_Main_Outlet
            } else if let Some(place) = underscored(cell, "inventory_").filter(|place| is_place(place)) {
                found.add(&place, Kind::Count, column, self)?;
            } else if let Some(place) = underscored(cell, "reorder_point_") {
                found.add(&place, Kind::Threshold, column, self)?;
            // Lightspeed R-Series: Berlin - Quantity on Hand
            } else if let Some(place) = aliases::before(cell, &["quantity on hand", "qty on hand", "qoh"]) {
                found.add(place, Kind::Count, column, self)?;
            } else if let Some(place) = aliases::before(cell, &["reorder point"]) {
                found.add(place, Kind::Threshold, column, self)?;
            }
        }
        if found.counts() == 0 && no_count {
            found = self.shopify_places()?;
        }
        if found.counts() == 0 && no_count {
            found = self.plain_places()?;
        }
        found.finish()
    }

    /// Shopify's older inventory export: every column behind `COO` (or `SKU`) is a location.
    fn shopify_places(&self) -> Result<Places, FileProblem> {
        let mut found = Places::default();
        let is_inventory = (self.find("handle").is_some() || self.find("url handle").is_some())
            && self.find("option1 value").is_some()
            && !self.names.iter().any(|name| name.starts_with("variant"));
        let behind = ["sku", "hs code", "coo"].iter().filter_map(|alias| self.find(alias)).max();
        let (true, Some(behind)) = (is_inventory && self.find("sku").is_some(), behind) else { return Ok(found) };
        for (column, cell) in self.cells.iter().enumerate().skip(behind + 1) {
            let name = cell.trim();
            let known = ["bin name", "incoming", "unavailable", "committed"]
                .iter()
                .any(|alias| self.names.get(column).is_some_and(|name| name.starts_with(&alias.replace(' ', ""))));
            if !name.is_empty() && !name.starts_with('_') && !known {
                found.add(name, Kind::Count, column, self)?;
            }
        }
        Ok(found)
    }

    /// `Stock Berlin`, `Existencias Madrid`: at least two of them, or it may be anything.
    fn plain_places(&self) -> Result<Places, FileProblem> {
        let mut found = Places::default();
        for (column, cell) in self.cells.iter().enumerate().filter(|(_, cell)| !cell.contains('?')) {
            for (prefixes, kind) in [(PLACE_COUNTS, Kind::Count), (PLACE_THRESHOLDS, Kind::Threshold)] {
                let place = prefixes.iter().find_map(|prefix| aliases::after(cell, prefix)).map(|place| {
                    ["at ", "in ", "en "].iter().find_map(|word| place.strip_prefix(word)).unwrap_or(place).trim()
                });
                if let Some(place) = place.filter(|place| is_place(place)) {
                    found.add(place, kind, column, self)?;
                    break;
                }
            }
        }
        Ok(if found.counts() >= 2 { found } else { Places::default() })
    }
}

/// What stands before a place's name where a column is the count of one store.
const PLACE_COUNTS: &[&str] =
    &["stock", "existencias", "quantity", "qty", "cantidad", "on hand", "unidades", "inventario", "inventory"];

/// The same, where it is one store's threshold.
const PLACE_THRESHOLDS: &[&str] = &[
    "stock minimo",
    "existencias minimas",
    "minimo",
    "minimum stock",
    "min stock",
    "reorder point",
    "punto de pedido",
    "umbral",
    "threshold",
];

fn underscored(cell: &str, prefix: &str) -> Option<String> {
    let start = cell.get(..prefix.len())?;
    if !start.eq_ignore_ascii_case(prefix) {
        return None;
    }
    cell.get(prefix.len()..).map(|place| place.replace('_', " "))
}

fn is_place(name: &str) -> bool {
    let letters = aliases::letters(name);
    !letters.is_empty()
        && !NO_PLACES_ALONE.contains(&letters.as_str())
        && !NO_PLACES.iter().any(|word| {
            let word: String = word.split(' ').collect();
            letters.starts_with(&word) && starts_as_word(name, &word)
        })
}

/// Does the first word of `name` begin with `word`, or is `word` longer than it? `Perugia` is not `per …`.
fn starts_as_word(name: &str, word: &str) -> bool {
    let first = name.split(|c: char| !c.is_alphanumeric()).find(|part| !part.is_empty()).unwrap_or_default();
    let first = aliases::letters(first);
    first == word || word.len() > first.len() || (word.len() >= 5 && first.starts_with(word))
}

/// What a wide column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NewCount,
    Count,
    Threshold,
    Enabled,
}

/// The stores of a wide file, in the order of their columns.
#[derive(Default)]
struct Places {
    list: Vec<(StoreId, [Option<usize>; 4])>,
}

impl Places {
    fn counts(&self) -> usize {
        self.list.iter().filter(|(_, [new, count, ..])| new.is_some() || count.is_some()).count()
    }

    fn add(&mut self, name: &str, kind: Kind, column: usize, header: &Header<'_>) -> Result<(), FileProblem> {
        let store =
            StoreId::parse(name).map_err(|_| FileProblem::BadStore { name: name.chars().take(100).collect() })?;
        let index = match self.list.iter().position(|(known, _)| *known == store) {
            Some(index) => index,
            None => {
                if self.list.len() == LOCATIONS_MAX {
                    return Err(FileProblem::TooManyLocations);
                }
                self.list.push((store, [None; 4]));
                self.list.len() - 1
            }
        };
        let slot = self.list.get_mut(index).and_then(|(_, columns)| columns.get_mut(kind as usize));
        let role = match kind {
            Kind::NewCount | Kind::Count => Role::Count,
            Kind::Threshold | Kind::Enabled => Role::Threshold,
        };
        match slot {
            Some(Some(first)) => {
                Err(FileProblem::TwoColumns { role, columns: [header.cell(*first), header.cell(column)] })
            }
            Some(slot) => {
                *slot = Some(column);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Vec<Place>, FileProblem> {
        let places = self.list.into_iter().filter_map(|(store, [new, count, threshold, enabled])| {
            let counts: Vec<usize> = new.into_iter().chain(count).collect();
            if counts.is_empty() { None } else { Some(Place { store, counts: Counts { counts, threshold, enabled } }) }
        });
        Ok(places.collect())
    }
}
