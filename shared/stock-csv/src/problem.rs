//! Why a file is refused whole.

use crate::limits::{
    COLUMNS_MAX, DUPLICATES_MAX, HEADER_BYTES_MAX, HEADER_SEARCH_ROWS, LOCATIONS_MAX, OPEN_QUOTES_MAX, ROWS_MAX,
    STORES_MAX,
};
use crate::reason::Lang;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Which store.
    Store,
    /// Which item.
    Item,
    /// How many.
    Count,
    /// From how many on the shelf counts as low.
    Threshold,
}

impl Role {
    /// What the role is called, and what its column may be called.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Store, Lang::Es) => "la tienda («store», «tienda», «location»…)",
            (Self::Store, Lang::En) => "the store (“store”, “location”, “warehouse”…)",
            (Self::Item, Lang::Es) => "el artículo («sku», «código», «producto»…)",
            (Self::Item, Lang::En) => "the item (“sku”, “item”, “product”…)",
            (Self::Count, Lang::Es) => "la cantidad («count», «existencias», «cantidad»…)",
            (Self::Count, Lang::En) => "the count (“count”, “quantity”, “stock”…)",
            (Self::Threshold, Lang::Es) => "el mínimo («threshold», «stock mínimo»…)",
            (Self::Threshold, Lang::En) => "the threshold (“threshold”, “minimum stock”…)",
        }
    }
}

/// Why a file is refused whole: nothing of it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// No bytes, or only blank ones.
    Empty,
    /// UTF-16, as Excel's "Unicode text".
    Utf16,
    /// An Excel or other spreadsheet file, or another zip archive.
    Spreadsheet,
    /// Not a text at all.
    Binary,
    /// No row among the first is a header we know.
    NoHeader {
        /// The cells of the row that came nearest, at most ten of them, clipped.
        found: Vec<String>,
        /// What it does not name.
        missing: Vec<Role>,
    },
    /// Two columns could have the same role.
    TwoColumns {
        /// Which role.
        role: Role,
        /// Their names.
        columns: [String; 2],
    },
    /// Neither a store column nor `stores/<Store>/…` in the object's key.
    NoStore {
        /// The header's cells, at most ten of them, clipped.
        found: Vec<String>,
    },
    /// A store's name in the key or in a column's name is not a valid one.
    BadStore {
        /// The name, clipped.
        name: String,
    },
    /// More than [`COLUMNS_MAX`] columns, or a header longer than [`HEADER_BYTES_MAX`].
    HeaderTooLong,
    /// More than [`LOCATIONS_MAX`] locations side by side.
    TooManyLocations,
    /// More than [`STORES_MAX`] stores.
    TooManyStores,
    /// More than [`ROWS_MAX`] rows.
    TooManyRows,
    /// More than [`DUPLICATES_MAX`] items stand on more than one line.
    TooManyDuplicates,
    /// More than [`OPEN_QUOTES_MAX`] quotes are never closed.
    TooManyOpenQuotes,
}

impl FileProblem {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Utf16 => "utf16",
            Self::Spreadsheet => "spreadsheet",
            Self::Binary => "binary",
            Self::NoHeader { .. } => "no_header",
            Self::TwoColumns { .. } => "two_columns",
            Self::NoStore { .. } => "no_store",
            Self::BadStore { .. } => "bad_store",
            Self::HeaderTooLong => "header_too_long",
            Self::TooManyLocations => "too_many_locations",
            Self::TooManyStores => "too_many_stores",
            Self::TooManyRows => "too_many_rows",
            Self::TooManyDuplicates => "too_many_duplicates",
            Self::TooManyOpenQuotes => "too_many_open_quotes",
        }
    }

    /// A sentence or two for people: what was found, what is needed.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Empty, Lang::Es) => "El archivo está vacío.".to_owned(),
            (Self::Empty, Lang::En) => "The file is empty.".to_owned(),
            (Self::Utf16, Lang::Es) => {
                "El archivo está en UTF-16 («texto Unicode»): guárdelo como «CSV UTF-8 (delimitado por comas)».".to_owned()
            }
            (Self::Utf16, Lang::En) => {
                "The file is UTF-16 (“Unicode text”): save it as “CSV UTF-8 (comma delimited)”.".to_owned()
            }
            (Self::Spreadsheet, Lang::Es) => {
                "Es un libro de Excel u otro archivo comprimido, no un CSV: en Excel elija «Guardar como» y «CSV UTF-8»."
                    .to_owned()
            }
            (Self::Spreadsheet, Lang::En) => {
                "This is an Excel workbook or another archive, not a CSV: in Excel choose “Save as” and “CSV UTF-8”."
                    .to_owned()
            }
            (Self::Binary, Lang::Es) => "El archivo no es texto: se necesita un CSV.".to_owned(),
            (Self::Binary, Lang::En) => "The file is not text: a CSV is needed.".to_owned(),
            (Self::NoHeader { found, missing }, Lang::Es) => format!(
                "No se reconoce ningún encabezado en las primeras {HEADER_SEARCH_ROWS} filas. Falta {}. Se encontró: {}.{}",
                roles(missing, " y ", lang),
                names(found),
                if only_counts_lack(missing) {
                    " Si cada tienda tiene su propia columna, dígalo en el nombre: «Stock Madrid», «Stock Sevilla»."
                } else {
                    ""
                }
            ),
            (Self::NoHeader { found, missing }, Lang::En) => format!(
                "No header was recognised in the first {HEADER_SEARCH_ROWS} rows. It lacks {}. Found: {}.{}",
                roles(missing, " and ", lang),
                names(found),
                if only_counts_lack(missing) {
                    " Where each store has a column of its own, its name must say so: “Stock Madrid”, “Stock Berlin”."
                } else {
                    ""
                }
            ),
            (Self::TwoColumns { role, columns: [a, b] }, Lang::Es) => format!(
                "Dos columnas, «{a}» y «{b}», podrían indicar {}: deje solo una o cambie el nombre de la otra.",
                role.text(lang)
            ),
            (Self::TwoColumns { role, columns: [a, b] }, Lang::En) => format!(
                "Two columns, “{a}” and “{b}”, could both be {}: keep one or rename the other.",
                role.text(lang)
            ),
            (Self::NoStore { found }, Lang::Es) => format!(
                "No se sabe de qué tienda son las filas: añada una columna «tienda», o dígala al subir el archivo: en el campo «Tienda» de la página, con «--store NOMBRE» en la línea de órdenes, o en su ruta, «stores/NombreDeLaTienda/archivo.csv». Columnas: {}.",
                names(found)
            ),
            (Self::NoStore { found }, Lang::En) => format!(
                "It is not said which store the rows are of: add a column “store”, or name the store when you upload the file: in the page's field “Store”, by “--store NAME” on the command line, or in its path, “stores/NameOfTheStore/file.csv”. Columns: {}.",
                names(found)
            ),
            (Self::BadStore { name }, Lang::Es) => format!(
                "«{name}» no es un nombre de tienda válido: debe tener entre 1 y {} caracteres visibles.",
                almacen_domain::kernel::name::STORE_CHARS_MAX
            ),
            (Self::BadStore { name }, Lang::En) => format!(
                "“{name}” is no valid name of a store: it must have 1 to {} visible characters.",
                almacen_domain::kernel::name::STORE_CHARS_MAX
            ),
            (Self::HeaderTooLong, Lang::Es) => format!(
                "El encabezado es demasiado largo: como máximo {COLUMNS_MAX} columnas y {} KiB.",
                HEADER_BYTES_MAX / 1024
            ),
            (Self::HeaderTooLong, Lang::En) => format!(
                "The header is too long: at most {COLUMNS_MAX} columns and {} KiB.",
                HEADER_BYTES_MAX / 1024
            ),
            (Self::TooManyLocations, Lang::Es) => format!("Hay columnas de más de {LOCATIONS_MAX} tiendas: divida el archivo."),
            (Self::TooManyLocations, Lang::En) => {
                format!("There are columns of more than {LOCATIONS_MAX} locations: divide the file.")
            }
            (Self::TooManyStores, Lang::Es) => format!(
                "Hay más de {STORES_MAX} tiendas: divida el archivo o compruebe qué columna es la tienda."
            ),
            (Self::TooManyStores, Lang::En) => {
                format!("There are more than {STORES_MAX} stores: divide the file, or check which column is the store.")
            }
            (Self::TooManyRows, Lang::Es) => format!("Hay más de {ROWS_MAX} filas: divida el archivo."),
            (Self::TooManyRows, Lang::En) => format!("There are more than {ROWS_MAX} rows: divide the file."),
            (Self::TooManyDuplicates, Lang::Es) => format!(
                "Más de {DUPLICATES_MAX} artículos están en más de una línea: compruebe qué columna es el artículo."
            ),
            (Self::TooManyDuplicates, Lang::En) => format!(
                "More than {DUPLICATES_MAX} items stand on more than one line: check which column is the item."
            ),
            (Self::TooManyOpenQuotes, Lang::Es) => format!(
                "Más de {OPEN_QUOTES_MAX} filas abren comillas que no se cierran: el archivo no está escrito como CSV."
            ),
            (Self::TooManyOpenQuotes, Lang::En) => {
                format!("More than {OPEN_QUOTES_MAX} rows open a quote that is never closed: the file is not written as CSV.")
            }
        }
    }
}

/// Is the item named, so that the columns nobody knows may be places?
fn only_counts_lack(missing: &[Role]) -> bool {
    missing.contains(&Role::Count) && !missing.contains(&Role::Item)
}

fn roles(roles: &[Role], and: &str, lang: Lang) -> String {
    roles.iter().map(|role| role.text(lang)).collect::<Vec<_>>().join(and)
}

fn names(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("«{cell}»")).collect::<Vec<_>>().join(", ")
}
