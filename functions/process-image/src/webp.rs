//! Is a WebP whole and still? The decoder takes the sizes of its chunks at their word, and would ask for gigabytes for the
//! colour profile of a file of a hundred bytes; so they are followed here first.

use almacen_domain::catalogue::image::Problem;

/// Follows the chunks after `RIFF`, its size and `WEBP` to the end that the file states.
///
/// # Errors
/// [`Problem::Damaged`] where a chunk does not fit, [`Problem::Animated`] where there are frames.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let stated = bytes.get(4..).and_then(size).ok_or(Problem::Damaged)?;
    let mut rest = stated.checked_add(8).and_then(|end| bytes.get(12..end)).ok_or(Problem::Damaged)?;
    while !rest.is_empty() {
        if rest.starts_with(b"ANIM") || rest.starts_with(b"ANMF") {
            return Err(Problem::Animated);
        }
        let size = rest.get(4..).and_then(size).ok_or(Problem::Damaged)?;
        rest = size.checked_add(8).and_then(|end| rest.get(end..)).ok_or(Problem::Damaged)?;
        // A chunk of an odd size is followed by a byte of nothing, which some writers forget at the very end.
        if size % 2 == 1 {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    Ok(())
}

fn size(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk::<4>().and_then(|bytes| usize::try_from(u32::from_le_bytes(*bytes)).ok())
}
