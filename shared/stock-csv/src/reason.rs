//! Why a row was not taken.

use crate::limits::ROW_BYTES_MAX;
use almacen_domain::stock::COUNT_MAX;

/// The language of a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

/// Why a row was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The cell is blank and must not be.
    Blank,
    /// A name has more characters than it may.
    NameTooLong {
        /// The most it may have.
        max: usize,
    },
    /// A name contains a character that cannot be seen.
    ControlCharacter,
    /// The cell should hold a number and does not.
    NotANumber,
    /// The number has a fraction; units are whole.
    NotWhole,
    /// The number could be read as two different ones.
    AmbiguousNumber,
    /// Below zero, where the row sets a count or a threshold.
    Negative,
    /// More than a line may hold.
    TooLarge,
    /// The cell says in words that nothing is counted here: `not stocked`, `n/a`, `∞`.
    NotStocked,
    /// A spreadsheet formula instead of its result.
    Formula,
    /// More cells than the header has columns, and they are not blank.
    TooManyCells {
        /// Cells in the row.
        found: usize,
        /// Columns in the header.
        expected: usize,
    },
    /// The row ends before a cell that is needed.
    TooFewCells {
        /// Cells in the row.
        found: usize,
        /// Columns in the header.
        expected: usize,
    },
    /// Bytes that are no UTF-8 in a file that otherwise is.
    BadEncoding,
    /// A quote is opened and not closed within [`ROW_BYTES_MAX`].
    OpenQuote,
    /// The line is longer than [`ROW_BYTES_MAX`].
    RowTooLong,
    /// The same item of the same store stands on another line too, and the lines disagree.
    Conflict {
        /// One of the other lines.
        other: u64,
    },
    /// The lines of the item are its lots, and one of them cannot be read: the others are not all there is.
    OtherLot {
        /// That line.
        other: u64,
    },
    /// Adding would take the line below zero or over [`COUNT_MAX`], or would take from a line that does not exist. Only
    /// the store's state shows it, so it is found when the row is worked on.
    OutOfBounds {
        /// Units that the row adds.
        by: i64,
    },
}

impl Reason {
    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::NameTooLong { .. } => "name_too_long",
            Self::ControlCharacter => "control_character",
            Self::NotANumber => "not_a_number",
            Self::NotWhole => "not_whole",
            Self::AmbiguousNumber => "ambiguous_number",
            Self::Negative => "negative",
            Self::TooLarge => "too_large",
            Self::NotStocked => "not_stocked",
            Self::Formula => "formula",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::TooFewCells { .. } => "too_few_cells",
            Self::BadEncoding => "bad_encoding",
            Self::OpenQuote => "open_quote",
            Self::RowTooLong => "row_too_long",
            Self::Conflict { .. } => "conflict",
            Self::OtherLot { .. } => "other_lot",
            Self::OutOfBounds { .. } => "out_of_bounds",
        }
    }

    /// A sentence for people, which says what to do where that is not plain.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        let kib = ROW_BYTES_MAX / 1024;
        match (self, lang) {
            (Self::Blank, Lang::Es) => "La celda está vacía.".to_owned(),
            (Self::Blank, Lang::En) => "The cell is blank.".to_owned(),
            (Self::NameTooLong { max }, Lang::Es) => format!("El nombre tiene más de {max} caracteres."),
            (Self::NameTooLong { max }, Lang::En) => format!("The name is longer than {max} characters."),
            (Self::ControlCharacter, Lang::Es) => {
                "El nombre contiene un carácter invisible (un salto de línea, un tabulador o similar).".to_owned()
            }
            (Self::ControlCharacter, Lang::En) => {
                "The name contains a character that cannot be seen (a line break, a tab or the like).".to_owned()
            }
            (Self::NotANumber, Lang::Es) => "No es un número: escríbalo solo con cifras, por ejemplo 1200.".to_owned(),
            (Self::NotANumber, Lang::En) => "This is not a number: write it with digits only, such as 1200.".to_owned(),
            (Self::NotWhole, Lang::Es) => "No es un número entero: las unidades se cuentan enteras.".to_owned(),
            (Self::NotWhole, Lang::En) => "This is not a whole number: units are counted whole.".to_owned(),
            (Self::AmbiguousNumber, Lang::Es) => {
                "No está claro si el separador indica miles o decimales: escriba el número sin separadores, por ejemplo 1200."
                    .to_owned()
            }
            (Self::AmbiguousNumber, Lang::En) => {
                "The separator could mark thousands or decimals: write the number without separators, such as 1200."
                    .to_owned()
            }
            (Self::Negative, Lang::Es) => "El número es negativo; aquí debe ser cero o mayor.".to_owned(),
            (Self::Negative, Lang::En) => "The number is negative; here it must be zero or more.".to_owned(),
            (Self::TooLarge, Lang::Es) => format!("El número es demasiado grande: como máximo {COUNT_MAX}."),
            (Self::TooLarge, Lang::En) => format!("The number is too large: at most {COUNT_MAX}."),
            (Self::NotStocked, Lang::Es) => {
                "La celda dice que aquí no se lleva la cuenta de este artículo: ponga un número o quite la fila.".to_owned()
            }
            (Self::NotStocked, Lang::En) => {
                "The cell says that this item is not counted here: write a number or remove the row.".to_owned()
            }
            (Self::Formula, Lang::Es) => "Es una fórmula: guarde el archivo con los valores calculados.".to_owned(),
            (Self::Formula, Lang::En) => "This is a formula: save the file with the values it gives.".to_owned(),
            (Self::TooManyCells { found, expected }, Lang::Es) => format!(
                "La fila tiene {found} celdas y el encabezado {expected}: un texto o número que contiene el separador debe ir entre comillas."
            ),
            (Self::TooManyCells { found, expected }, Lang::En) => format!(
                "The row has {found} cells and the header {expected}: a text or number that contains the delimiter must stand in quotes."
            ),
            (Self::TooFewCells { found, expected }, Lang::Es) => {
                format!("La fila tiene {found} celdas y el encabezado {expected}: falta una celda necesaria.")
            }
            (Self::TooFewCells { found, expected }, Lang::En) => {
                format!("The row has {found} cells and the header {expected}: a needed cell is missing.")
            }
            (Self::BadEncoding, Lang::Es) => {
                "La fila contiene bytes que no son UTF-8, aunque el resto del archivo lo es.".to_owned()
            }
            (Self::BadEncoding, Lang::En) => {
                "The row contains bytes that are not UTF-8, though the rest of the file is.".to_owned()
            }
            (Self::OpenQuote, Lang::Es) => {
                format!("Las comillas que se abren en esta fila no se cierran (en {kib} KiB).")
            }
            (Self::OpenQuote, Lang::En) => format!("A quote opened in this row is not closed (within {kib} KiB)."),
            (Self::RowTooLong, Lang::Es) => format!("La fila es demasiado larga: como máximo {kib} KiB."),
            (Self::RowTooLong, Lang::En) => format!("The row is too long: at most {kib} KiB."),
            (Self::Conflict { other }, Lang::Es) => {
                format!("El mismo artículo de la misma tienda está también en la línea {other}, y las líneas no coinciden.")
            }
            (Self::OutOfBounds { by }, Lang::Es) => {
                format!("Sumar {by} dejaría la línea por debajo de cero o por encima del máximo, o la línea no existe.")
            }
            (Self::OutOfBounds { by }, Lang::En) => {
                format!("Adding {by} would take the line below zero or over the maximum, or there is no such line.")
            }
            (Self::Conflict { other }, Lang::En) => {
                format!("The same item of the same store also stands on line {other}, and the lines do not agree.")
            }
            (Self::OtherLot { other }, Lang::Es) => format!(
                "Los lotes de un artículo se suman, y el de la línea {other} se ha rechazado: corríjalo y suba juntas todas las líneas del artículo."
            ),
            (Self::OtherLot { other }, Lang::En) => format!(
                "The lots of an item are added up, and the one on line {other} was rejected: correct it and upload all lines of the item together."
            ),
        }
    }
}
