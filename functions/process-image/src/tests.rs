//! Pictures are made here, a few pixels each: no file of them is kept.

use std::io::Cursor;

use almacen_domain::catalogue::image::Problem;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, Encoder};
use moxcms::ColorProfile;
use proptest::prelude::*;

use crate::picture::{Rendition, render};

const RED: Rgb<u8> = Rgb([220, 20, 20]);
const BLUE: Rgb<u8> = Rgb([20, 20, 220]);

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
}

/// A JPEG of `picture` after `metadata` was added to it.
fn jpeg_with(picture: &RgbImage, metadata: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 95);
    metadata(&mut encoder);
    let (width, height) = (u16::try_from(picture.width()).unwrap(), u16::try_from(picture.height()).unwrap());
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).unwrap();
    bytes
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    jpeg_with(picture, |_| {})
}

fn as_format(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Exif with an orientation, the maker of the camera, and where the picture was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x03".to_vec();
    tiff.extend(b"\x01\x0f\0\x02\0\0\0\x04Cam\0"); // Make
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\0"); // GPS
    tiff.extend([0; 4]);
    tiff
}

fn open(rendition: &Rendition) -> RgbImage {
    image::load_from_memory_with_format(&rendition.jpeg, ImageFormat::Jpeg).unwrap().into_rgb8()
}

/// Widths, heights, and the colours at the four corners' inside of the largest.
fn sizes(upload: &[u8]) -> Vec<(u32, u32, u32)> {
    let renditions = render(upload).unwrap();
    renditions.iter().map(|one| (one.width, open(one).width(), open(one).height())).collect()
}

fn first(upload: &[u8]) -> RgbImage {
    open(&render(upload).unwrap()[0])
}

fn near(got: Rgb<u8>, wanted: Rgb<u8>) -> bool {
    got.0.iter().zip(wanted.0).all(|(got, wanted)| got.abs_diff(wanted) <= 12)
}

#[test]
fn three_sizes_never_enlarged() {
    assert_eq!(sizes(&jpeg(&halves(1000, 600))), [(1600, 1000, 600), (800, 800, 480), (320, 320, 192)]);
    assert_eq!(sizes(&jpeg(&halves(40, 20))), [(1600, 40, 20), (800, 40, 20), (320, 40, 20)]);
    // far too high, and far too wide
    assert_eq!(sizes(&jpeg(&halves(10, 4000))), [(1600, 8, 3200), (800, 4, 1600), (320, 2, 640)]);
    assert_eq!(sizes(&jpeg(&halves(4000, 2))), [(1600, 1600, 1), (800, 800, 1), (320, 320, 1)]);
    assert_eq!(sizes(&jpeg(&halves(1, 1))), [(1600, 1, 1), (800, 1, 1), (320, 1, 1)]);
    assert_eq!(sizes(&jpeg(&halves(3300, 2200)))[0], (1600, 1600, 1067));
}

#[test]
fn every_format_gives_the_same_picture() {
    let picture = DynamicImage::ImageRgb8(halves(64, 32));
    let sixteen_bits = DynamicImage::ImageRgb16(picture.to_rgb16());
    for upload in [
        jpeg(&halves(64, 32)),
        as_format(&picture, ImageFormat::Png),
        as_format(&sixteen_bits, ImageFormat::Png),
        as_format(&picture, ImageFormat::WebP),
    ] {
        let made = first(&upload);
        assert!(near(*made.get_pixel(8, 16), RED) && near(*made.get_pixel(56, 16), BLUE));
    }
    let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(8, 8, Luma([128])));
    assert!(near(*first(&as_format(&grey, ImageFormat::Png)).get_pixel(4, 4), Rgb([128; 3])));
}

#[test]
fn what_shows_through_is_white() {
    let glass = RgbaImage::from_fn(32, 32, |x, _| if x < 16 { Rgba([0, 0, 0, 0]) } else { Rgba([0, 0, 0, 128]) });
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let made = first(&as_format(&DynamicImage::ImageRgba8(glass.clone()), format));
        assert!(near(*made.get_pixel(4, 16), Rgb([255; 3])) && near(*made.get_pixel(28, 16), Rgb([127; 3])));
    }
}

#[test]
fn turned_upright_and_freed_of_metadata() {
    let upload = jpeg_with(&halves(64, 32), |encoder| {
        encoder.add_exif_metadata(&exif(6)).unwrap();
        encoder.add_app_segment(1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret</x:xmpmeta>".to_vec()).unwrap();
        encoder.add_app_segment(13, b"Photoshop 3.0\0secret".to_vec()).unwrap();
    });
    assert!(contains(&upload, b"Exif") && contains(&upload, b"secret"));
    for rendition in render(&upload).unwrap() {
        for told in [b"Exif".as_slice(), b"Cam", b"secret", b"xmp", b"Photoshop", b"ICC_PROFILE"] {
            assert!(!contains(&rendition.jpeg, told));
        }
        let made = open(&rendition);
        // Turned to the right: what was left is on top.
        assert_eq!(made.dimensions(), (32, 64));
        assert!(near(*made.get_pixel(16, 8), RED) && near(*made.get_pixel(16, 56), BLUE));
    }
    // a large one is turned as a small one is, and measured as it will stand
    let large = jpeg_with(&halves(4000, 3000), |encoder| encoder.add_exif_metadata(&exif(8)).unwrap());
    assert_eq!(sizes(&large), [(1600, 1600, 2133), (800, 800, 1067), (320, 320, 427)]);
    assert!(near(*first(&large).get_pixel(800, 200), BLUE));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn colours_of_a_phone_become_those_of_a_screen() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let picture = RgbImage::from_pixel(32, 32, Rgb([200, 60, 60]));
    let made = first(&jpeg_with(&picture, |encoder| encoder.add_icc_profile(&profile).unwrap()));
    let colour = *made.get_pixel(16, 16);
    assert!(near(colour, Rgb([218, 46, 54])), "{colour:?}");
    // what is no profile changes nothing
    let made = first(&jpeg_with(&picture, |encoder| encoder.add_icc_profile(b"no profile at all").unwrap()));
    assert!(near(*made.get_pixel(16, 16), Rgb([200, 60, 60])));
}

#[test]
fn what_comes_after_a_picture_is_not_kept() {
    let mut upload = jpeg(&halves(64, 32));
    upload.extend(b"PK\x03\x04<script>alert(1)</script>");
    for rendition in render(&upload).unwrap() {
        assert!(!contains(&rendition.jpeg, b"script") && !contains(&rendition.jpeg, b"PK"));
    }
}

#[test]
fn what_is_no_picture_is_refused_whatever_it_is_called() {
    for upload in [
        b"".as_slice(),
        b"\0",
        b"\xff\xd8",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<?xml version=\"1.0\"?><svg/>",
        b"%PDF-1.7\n",
        b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
        b"PK\x03\x04",
        b"BM\x3a\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x1cftypavif",
        b"#!/bin/sh\n",
        b"RIFF\x04\0\0\0WAVE",
    ] {
        assert_eq!(render(upload).unwrap_err(), Problem::NotAnImage, "{:?}", String::from_utf8_lossy(upload));
    }
}

#[test]
fn a_picture_that_is_cut_off_is_refused_wherever_it_is_cut() {
    let picture = RgbImage::from_fn(48, 40, |x, y| Rgb([(x * 5) as u8, (y * 6) as u8, (x * y) as u8]));
    let still = DynamicImage::ImageRgb8(picture.clone());
    let progressive = jpeg_with(&picture, |encoder| encoder.set_progressive(true));
    for whole in
        [jpeg(&picture), progressive, as_format(&still, ImageFormat::Png), as_format(&still, ImageFormat::WebP)]
    {
        assert!(render(&whole).is_ok());
        // A PNG has twelve bytes of end after its last pixel.
        for length in 12..whole.len() - 12 {
            let refused = render(&whole[..length]).unwrap_err();
            assert_eq!(refused, Problem::Damaged, "{length} of {}", whole.len());
        }
    }
}

/// A chunk of a PNG.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(content) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content, &(!crc).to_be_bytes()].concat()
}

/// A PNG that says it has this size and kind of pixels, without any.
fn png_of(width: u32, height: u32, bits: u8, colour: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, colour, 0, 0, 0]].concat();
    let zeros = b"\x78\x9c\x63\0\0\0\x01\0\x01";
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", zeros), chunk(b"IEND", b"")].concat()
}

#[test]
fn bombs_are_refused_by_their_header() {
    for bomb in [
        png_of(60_000, 60_000, 1, 0),
        png_of(u32::MAX >> 1, u32::MAX >> 1, 8, 6),
        png_of(12_001, 1, 8, 2),
        png_of(1, 12_001, 8, 2),
        png_of(8_000, 8_000, 1, 0),
        // few enough pixels, but of eight bytes
        png_of(6_000, 6_000, 16, 6),
    ] {
        assert_eq!(render(&bomb).unwrap_err(), Problem::TooManyPixels, "{:?}", &bomb[16..26]);
    }
    assert_eq!(render(&png_of(0, 5, 8, 2)).unwrap_err(), Problem::Damaged);

    let mut huge = jpeg(&halves(64, 32));
    let size = huge.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    huge[size..size + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert_eq!(render(&huge).unwrap_err(), Problem::TooManyPixels);

    // lossless WebP: after 21 bytes of header 14 bits each for width and height, less one
    let mut huge = as_format(&DynamicImage::ImageRgb8(halves(64, 32)), ImageFormat::WebP);
    huge[21..25].copy_from_slice(&(12_999u32 | 31 << 14).to_le_bytes());
    assert_eq!(render(&huge).unwrap_err(), Problem::TooManyPixels);
}

#[test]
fn colours_one_after_the_other_are_refused_and_not_mixed_up() {
    let upload = jpeg_with(&halves(64, 32), |encoder| encoder.set_optimized_huffman_tables(true));
    assert_eq!(render(&upload).unwrap_err(), Problem::Unsupported);
    let mut arithmetic = jpeg(&halves(64, 32));
    let frame = arithmetic.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 1;
    arithmetic[frame] = 0xc9;
    assert_eq!(render(&arithmetic).unwrap_err(), Problem::Unsupported);
}

#[test]
fn scans_without_end_are_refused() {
    let mut upload = jpeg(&halves(8, 8));
    upload.truncate(upload.len() - 2);
    for _ in 0..64 {
        upload.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    }
    upload.extend([0xff, 0xd9]);
    assert_eq!(crate::jpeg::check(&upload), Err(Problem::Damaged));
    assert_eq!(crate::jpeg::check(&jpeg(&halves(8, 8))), Ok(()));
    assert_eq!(crate::jpeg::check(&[0xff, 0xd8, 0xff, 0xd9]), Err(Problem::Damaged));
}

/// A chunk of a WebP.
fn riff(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [kind, &length, content, &[0][..content.len() % 2]].concat()
}

#[test]
fn a_webp_is_not_taken_at_its_word() {
    let still = as_format(&DynamicImage::ImageRgb8(halves(4, 4)), ImageFormat::WebP);
    let header = riff(b"VP8X", &[0x20, 0, 0, 0, 3, 0, 0, 3, 0, 0]);
    let whole = riff(b"RIFF", &[b"WEBP", &header[..], &riff(b"ICCP", b"none"), &still[12..]].concat());
    assert!(render(&whole).is_ok());
    let mut greedy = whole.clone();
    greedy[34..38].copy_from_slice(&u32::MAX.to_le_bytes()); // the size of the profile
    assert_eq!(render(&greedy).unwrap_err(), Problem::Damaged);
    let mut short = whole.clone();
    short[4] += 1;
    assert_eq!(render(&short).unwrap_err(), Problem::Damaged);
}

#[test]
fn what_moves_is_refused() {
    let still = as_format(&DynamicImage::ImageRgb8(halves(4, 4)), ImageFormat::Png);
    // after the header of 33 bytes: two frames, for ever
    let animation = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    let apng = [&still[..33], &animation, &still[33..]].concat();
    assert_eq!(render(&apng).unwrap_err(), Problem::Animated);

    let still = as_format(&DynamicImage::ImageRgb8(halves(4, 4)), ImageFormat::WebP);
    let size = [3, 0, 0, 3, 0, 0];
    let frame = riff(b"ANMF", &[&[0; 6][..], &size, &[100, 0, 0, 0], &still[12..]].concat());
    let moving = [
        b"WEBP".to_vec(),
        riff(b"VP8X", &[&[2, 0, 0, 0][..], &size].concat()),
        riff(b"ANIM", &[0; 6]),
        frame.clone(),
        frame,
    ]
    .concat();
    assert_eq!(render(&riff(b"RIFF", &moving)).unwrap_err(), Problem::Animated);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_are_too_strange(kind in 0usize..4, rest in proptest::collection::vec(any::<u8>(), 0..300)) {
        let magic: &[u8] = [b"".as_slice(), b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\x01\0\0WEBPVP8"][kind];
        let _ = render(&[magic, &rest].concat());
    }

    #[test]
    fn no_broken_picture_is_too_strange(
        kind in 0usize..5,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let picture = halves(24, 17);
        let still = DynamicImage::ImageRgb8(picture.clone());
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let mut upload = match kind {
            0 => jpeg_with(&picture, |encoder| encoder.add_exif_metadata(&exif(5)).unwrap()),
            1 => jpeg_with(&picture, |encoder| encoder.set_progressive(true)),
            2 => as_format(&still, ImageFormat::Png),
            3 => as_format(&still, ImageFormat::WebP),
            _ => jpeg_with(&picture, |encoder| encoder.add_icc_profile(&profile).unwrap()),
        };
        for (at, byte) in changes {
            let at = at.index(upload.len());
            upload[at] = byte;
        }
        if let Some(cut) = cut {
            upload.truncate(cut.index(upload.len()));
        }
        if let Ok(renditions) = render(&upload) {
            prop_assert_eq!(renditions.len(), 3);
        }
    }
}
