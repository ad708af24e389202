//! Is a JPEG whole, and of a kind that the decoder reads rightly? It paints what is missing grey, and mixes up the colours
//! of plain pictures whose colours are stored one after the other (zune-jpeg 0.5.15), without a word in either case.
//! So the picture's markers are followed here first.

use almacen_domain::catalogue::image::Problem;

/// Scans of the largest progressive picture that is taken apart; usual ones have ten. Every scan passes over all pixels,
/// and one of a few bytes can, so without a bound a small file could keep a decoder busy for minutes.
const SCANS_MAX: usize = 64;

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Follows the markers from the picture's start to its end. What comes after the end is not looked at.
///
/// # Errors
/// [`Problem::Damaged`] where the end is missing, a marker does not lead to the next, or there are too many scans;
/// [`Problem::Unsupported`] for the rare kinds.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut rest = bytes.strip_prefix(&[0xff, START]).ok_or(Problem::Damaged)?;
    // How many colours there are, where every scan must hold them all.
    let mut colours = None;
    let mut framed = false;
    let mut scans = 0;
    loop {
        let (marker, after) = next_marker(rest).ok_or(Problem::Damaged)?;
        rest = after;
        match marker {
            END => return if scans > 0 { Ok(()) } else { Err(Problem::Damaged) },
            // They have no content: restarts within a scan, and a placeholder of old files.
            0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let length = rest.first_chunk::<2>().map(|bytes| usize::from(u16::from_be_bytes(*bytes)));
        let (content, after) =
            length.and_then(|length| rest.split_at_checked(length.max(2))).ok_or(Problem::Damaged)?;
        rest = after;
        match marker {
            // Baseline, extended and progressive: precision, height, width, number of colours.
            0xc0..=0xc2 => {
                framed = true;
                colours = content.get(7).copied().filter(|_| marker != 0xc2);
            }
            // Lossless, hierarchical, arithmetic coding. C4, C8 and CC are no frames.
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return Err(Problem::Unsupported),
            SCAN => {
                scans += 1;
                if scans > SCANS_MAX || !framed {
                    return Err(Problem::Damaged);
                }
                if colours.is_some() && content.get(2).copied() != colours {
                    return Err(Problem::Unsupported);
                }
            }
            _ => {}
        }
    }
}

/// The next marker, and what comes after it. Within a scan a byte of 0xff that is none is followed by 0; before a marker
/// any number of 0xff may stand.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|&byte| byte == 0xff)?;
        rest = rest.get(at + 1..)?;
        match *rest.first()? {
            0xff => {}
            0 => rest = rest.get(1..)?,
            marker => return Some((marker, rest.get(1..)?)),
        }
    }
}
