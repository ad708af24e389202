//! From the bytes of an upload to pictures that are ours: decoded within bounds, turned upright, in the screen's colours,
//! in the page's sizes, and encoded anew, so that nothing of the upload but its pixels is left.
//!
//! Memory is bounded from the header on, before a pixel is decoded: at most [`DECODED_BYTES_MAX`], as much again while a
//! decoder works, and a few dozen MB for the results.

use std::io::Cursor;

use almacen_domain::catalogue::image::{HEIGHTS_PER_WIDTH, Problem, WIDTHS};
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, Limits, RgbImage};
use jpeg_encoder::{Encoder, SamplingFactor};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::{jpeg, webp};

/// The longer side of the largest picture, in pixels.
pub const SIDE_MAX: u32 = 12_000;
/// Pixels of the largest picture: 40 million, the camera of a good phone.
pub const PIXELS_MAX: u64 = 40_000_000;
/// Bytes of the largest picture once decoded: 40 million pixels of four bytes.
pub const DECODED_BYTES_MAX: u64 = PIXELS_MAX * 4;
/// What a decoder may take beside its result.
const DECODER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of the largest colour profile that is heeded; those of cameras and phones have less than a kilobyte.
const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// Of 100; where people stop seeing a difference, at half the size of 90.
const QUALITY: u8 = 80;
/// Which way pictures are made. It is part of their names: raise it with any change here that shows in the result, because
/// what is under a name is kept in caches for ever.
pub const RECIPE: &str = "1";

/// A picture in one of the page's sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// One of [`WIDTHS`]; the picture itself may be narrower.
    pub width: u32,
    /// A JPEG.
    pub jpeg: Vec<u8>,
}

/// Makes the pictures of an upload, largest first.
///
/// # Errors
/// Why it is none.
pub fn render(upload: &[u8]) -> Result<Vec<Rendition>, Problem> {
    let mut picture = decode(upload)?;
    let mut renditions = Vec::with_capacity(WIDTHS.len());
    for width in WIDTHS {
        let (to_width, to_height) = fit(picture.width(), picture.height(), width);
        if (to_width, to_height) != (picture.width(), picture.height()) {
            let larger = DynamicImage::ImageRgb8(picture);
            picture = larger.resize_exact(to_width, to_height, FilterType::CatmullRom).into_rgb8();
        }
        renditions.push(Rendition { width, jpeg: encode(&picture)? });
    }
    Ok(renditions)
}

/// The size that a picture of `width` by `height` has within `width_max`; never enlarged.
fn fit(width: u32, height: u32, width_max: u32) -> (u32, u32) {
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (width_max, height_max) = (u64::from(width_max), u64::from(width_max) * u64::from(HEIGHTS_PER_WIDTH));
    let scaled = |side: u64, part: u64, whole: u64| ((side * part + whole / 2) / whole).max(1);
    let (fitted_width, fitted_height) = if width <= width_max && height <= height_max {
        (width, height)
    } else if width * height_max >= height * width_max {
        (width_max, scaled(height, width_max, width))
    } else {
        (scaled(width, height_max, height), height_max)
    };
    (u32::try_from(fitted_width).unwrap_or(1), u32::try_from(fitted_height).unwrap_or(1))
}

/// Pixels, upright and in sRGB, at most twice as wide as the largest result.
fn decode(upload: &[u8]) -> Result<RgbImage, Problem> {
    let bytes = Cursor::new(upload);
    match upload {
        [0xff, 0xd8, 0xff, ..] => {
            jpeg::check(upload)?;
            prepare(JpegDecoder::new(bytes).map_err(problem)?)
        }
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            let decoder = PngDecoder::with_limits(bytes, limits()).map_err(problem)?;
            if decoder.is_apng().map_err(problem)? {
                return Err(Problem::Animated);
            }
            prepare(decoder)
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            webp::check(upload)?;
            prepare(WebPDecoder::new(bytes).map_err(problem)?)
        }
        _ => Err(Problem::NotAnImage),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    limits
}

/// All that a decoder says against a picture, so that a broken one is told from one that is too large.
fn problem(error: ImageError) -> Problem {
    match error {
        ImageError::Limits(_) => Problem::TooManyPixels,
        ImageError::Unsupported(_) => Problem::Unsupported,
        ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_) | ImageError::IoError(_) => {
            Problem::Damaged
        }
    }
}

fn prepare(mut decoder: impl ImageDecoder) -> Result<RgbImage, Problem> {
    let (width, height) = decoder.dimensions();
    if width > SIDE_MAX
        || height > SIDE_MAX
        || u64::from(width) * u64::from(height) > PIXELS_MAX
        || decoder.total_bytes() > DECODED_BYTES_MAX
    {
        return Err(Problem::TooManyPixels);
    }
    if width == 0 || height == 0 {
        return Err(Problem::Damaged);
    }
    decoder.set_limits(limits()).map_err(problem)?;
    // Metadata that cannot be read is left aside: what counts is the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| profile.len() <= PROFILE_BYTES_MAX);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(problem)?;
    if picture.color().has_alpha() {
        picture = on_white(picture);
    }
    // Everything after this works on a few megapixels, however large the upload is.
    picture = halfway(picture, orientation);
    picture.apply_orientation(orientation);
    let in_colour = picture.color().has_color();
    let mut picture = picture.into_rgb8();
    if let Some(profile) = profile.filter(|_| in_colour) {
        to_srgb(&mut picture, &profile);
    }
    Ok(picture)
}

/// What shows through is white, as the page is.
fn on_white(picture: DynamicImage) -> DynamicImage {
    let mut picture = picture.into_rgba8();
    for pixel in picture.pixels_mut() {
        let [.., alpha] = pixel.0;
        let over = |colour: u8| {
            let mixed = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from((mixed + 127) / 255).unwrap_or(255)
        };
        let [red, green, blue, _] = pixel.0;
        pixel.0 = [over(red), over(green), over(blue), 255];
    }
    DynamicImage::ImageRgba8(picture)
}

/// A large picture by means of its pixels, quickly and with little memory, down to twice the largest result.
fn halfway(picture: DynamicImage, orientation: Orientation) -> DynamicImage {
    let turned = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = (picture.width(), picture.height());
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let (width, height) = fit(width, height, WIDTHS[0] * 2);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    if (width, height) == (picture.width(), picture.height()) {
        picture
    } else {
        picture.thumbnail_exact(width, height)
    }
}

/// From the colours of the picture's profile to those of every screen; phones take pictures in wider ones. A profile that
/// cannot be read is left aside, as browsers do.
fn to_srgb(picture: &mut RgbImage, profile: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options) else { return };
    let row = picture.width() as usize * 3;
    let mut converted = vec![0; row];
    for line in picture.chunks_exact_mut(row) {
        if transform.transform(line, &mut converted).is_err() {
            return;
        }
        line.copy_from_slice(&converted);
    }
}

fn encode(picture: &RgbImage) -> Result<Vec<u8>, Problem> {
    let side = |pixels: u32| u16::try_from(pixels).map_err(|_| Problem::TooManyPixels);
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut jpeg = Vec::with_capacity(picture.len() / 8);
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // It fails only for what cannot be: an empty picture, or a buffer that is too small.
    encoder.encode(picture.as_raw(), width, height, jpeg_encoder::ColorType::Rgb).map_err(|_| Problem::Damaged)?;
    Ok(jpeg)
}
