//! A file's bytes, decompressed where need be, from anywhere to anywhere.

use std::io::Write as _;

use almacen_files::Files;
use almacen_files::object::{Location, Stretch};
use almacen_table::stock::imports::Object;
use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;

use crate::error::{FileRefusal, ImportError};

/// The first bytes of a gzip stream (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Compressed bytes inflated at once. Deflate expands 1,032 times at most, so this gives 4 MiB at worst.
const INFLATE_BYTES: usize = 4 * 1024;

/// Does a file that begins like this have to be inflated?
#[must_use]
pub fn is_gzip(prefix: &[u8]) -> bool {
    prefix.starts_with(&GZIP_MAGIC)
}

fn location(object: &Object) -> Location {
    Location { bucket: object.bucket.clone(), key: object.key.clone(), version: object.version.clone() }
}

/// All stored bytes of `object`, which is small.
///
/// # Errors
/// [`ImportError`].
pub async fn hold(files: &Files, object: &Object) -> Result<Bytes, ImportError> {
    let mut stretch = Stretch::new(files.clone(), location(object), 0, object.size);
    let mut all = BytesMut::new();
    while let Some(chunk) = stretch.chunk().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

/// Bytes of a file in order.
pub struct Source {
    raw: Raw,
    inflate: Option<Inflate>,
    /// What is left to give.
    left: u64,
}

/// Bytes as they are stored.
enum Raw {
    /// To be read.
    Stored(Stretch),
    /// Read before.
    Held(Option<Bytes>),
}

struct Inflate {
    decoder: MultiGzDecoder<Vec<u8>>,
    waiting: Bytes,
    /// What is left to leave out before anything is given.
    skip: u64,
    ended: bool,
}

/// Why there are no more bytes.
#[derive(Debug)]
pub enum SourceError {
    /// The work stops.
    Import(ImportError),
    /// The file is not what it says it is.
    Refused(FileRefusal),
}

impl From<ImportError> for SourceError {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl Source {
    /// The bytes of `object` from `start` up to `end`; offsets are those of the inflated file where it is `gzip`.
    #[must_use]
    pub fn new(files: &Files, object: &Object, gzip: bool, start: u64, end: u64) -> Self {
        let (from, to) = if gzip { (0, object.size) } else { (start, end.min(object.size)) };
        let raw = Raw::Stored(Stretch::new(files.clone(), location(object), from, to));
        Self { raw, inflate: gzip.then(|| Inflate::new(start)), left: end.saturating_sub(start) }
    }

    /// The same of a file whose stored bytes are at hand.
    #[must_use]
    pub fn of_held(file: &Bytes, gzip: bool, start: u64, end: u64) -> Self {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(file.len());
        let held = if gzip { file.clone() } else { file.slice(at(start)..at(end).max(at(start))) };
        Self { raw: Raw::Held(Some(held)), inflate: gzip.then(|| Inflate::new(start)), left: end.saturating_sub(start) }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        loop {
            if self.left == 0 {
                return Ok(None);
            }
            let Some(mut bytes) = self.next().await? else { return Ok(None) };
            if bytes.is_empty() {
                continue;
            }
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
            bytes.truncate(wanted);
            self.left -= bytes.len() as u64;
            return Ok(Some(bytes));
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        let Some(inflate) = &mut self.inflate else {
            return self.raw.chunk().await;
        };
        if inflate.ended {
            return Ok(None);
        }
        if inflate.waiting.is_empty() {
            match self.raw.chunk().await? {
                Some(bytes) => inflate.waiting = bytes,
                None => {
                    inflate.ended = true;
                    inflate.decoder.try_finish().map_err(|_| SourceError::Refused(FileRefusal::damaged_gzip()))?;
                    return Ok(Some(inflate.take()));
                }
            }
        }
        let now = inflate.waiting.split_to(INFLATE_BYTES.min(inflate.waiting.len()));
        inflate.decoder.write_all(&now).map_err(|_| SourceError::Refused(FileRefusal::damaged_gzip()))?;
        Ok(Some(inflate.take()))
    }
}

impl Raw {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        match self {
            Self::Stored(stretch) => stretch.chunk().await.map_err(|error| SourceError::Import(error.into())),
            Self::Held(bytes) => Ok(bytes.take().filter(|bytes| !bytes.is_empty())),
        }
    }
}

impl Inflate {
    /// Gives what follows the first `skip` inflated bytes.
    fn new(skip: u64) -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), waiting: Bytes::new(), skip, ended: false }
    }

    /// What has been inflated, less what is to be left out.
    fn take(&mut self) -> Bytes {
        let mut bytes = Bytes::from(std::mem::take(self.decoder.get_mut()));
        let skipped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.skip -= skipped as u64;
        bytes.split_off(skipped)
    }
}
