//! Pictures of products: what may be uploaded, under which names, and which of a product's pictures is shown first.

use crate::Millis;

/// Bytes of the largest upload that is looked at: 8 MiB, a good photo of a phone.
pub const UPLOAD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Widths that pictures are kept in, in pixels, largest first: beside a text, in a list on a phone, in full.
pub const WIDTHS: [u32; 3] = [1600, 800, 320];
/// The width that lists show.
pub const LIST_WIDTH: u32 = 800;
/// A picture is kept at most this many times as high as its width may be.
pub const HEIGHTS_PER_WIDTH: u32 = 2;
/// Pictures that one product shows; the oldest give way.
pub const IMAGES_MAX: usize = 12;

/// Where originals are put: `products/{productId}/{uploadId}`.
const ORIGINALS: &str = "products/";
/// The longest id in a key.
const ID_CHARS_MAX: usize = 64;

/// Where the original of an upload is put.
#[must_use]
pub fn original_key(product: &str, upload: &str) -> String {
    format!("{ORIGINALS}{product}/{upload}")
}

/// The product that an original belongs to; `None` where the key is none of [`original_key`].
#[must_use]
pub fn product_of(original_key: &str) -> Option<&str> {
    let (product, upload) = original_key.strip_prefix(ORIGINALS)?.split_once('/')?;
    let is_id = |id: &str| {
        (1..=ID_CHARS_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    (is_id(product) && is_id(upload)).then_some(product)
}

/// What a product's record keeps of a picture: its key without size and extension. `content` tells one picture from
/// every other, so that the same picture has the same name however often it is made.
#[must_use]
pub fn image_key(product: &str, content: &str) -> String {
    format!("p/{product}/{content}")
}

/// The key of a picture in one of [`WIDTHS`]. Every width is there; a picture that is smaller stays as it is.
#[must_use]
pub fn rendition_key(image_key: &str, width: u32) -> String {
    format!("{image_key}-{width}.jpg")
}

/// Where a picture is in its bucket: in the folder that the page's addresses name. [`rendition_key`] is what comes after it.
#[must_use]
pub fn stored_key(image_key: &str, width: u32) -> String {
    format!("imagenes/{}", rendition_key(image_key, width))
}

/// Why an upload does not become a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// More than [`UPLOAD_BYTES_MAX`].
    TooLarge,
    /// Neither JPEG nor PNG nor WebP, whatever its name says.
    NotAnImage,
    /// More than one frame.
    Animated,
    /// More pixels than are taken apart.
    TooManyPixels,
    /// A picture of a rare kind that the decoder does not read rightly.
    Unsupported,
    /// Cut off, or broken in some other way.
    Damaged,
}

impl Problem {
    /// A stable name, for logs and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "TOO_LARGE",
            Self::NotAnImage => "NOT_AN_IMAGE",
            Self::Animated => "ANIMATED",
            Self::TooManyPixels => "TOO_MANY_PIXELS",
            Self::Unsupported => "UNSUPPORTED",
            Self::Damaged => "DAMAGED",
        }
    }
}

/// A picture of a product, and when it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its [`image_key`].
    pub key: String,
    /// When it was uploaded; `None` where nothing was kept of that, which is taken for long ago.
    pub uploaded_at: Option<Millis>,
}

/// A product's pictures once `new` is among them: newest first, each once, at most [`IMAGES_MAX`]. `None` where that changes
/// nothing, so uploads may be told of twice and in any order.
#[must_use]
pub fn place(images: &[Shown], new: &Shown) -> Option<Vec<Shown>> {
    if images.iter().any(|image| image.key == new.key && image.uploaded_at >= new.uploaded_at) {
        return None;
    }
    let mut placed: Vec<Shown> = images.iter().filter(|image| image.key != new.key).cloned().collect();
    // Two of the same moment stand in order of their names, so that their order of arrival does not matter.
    let later = |image: &Shown| (image.uploaded_at, &image.key) > (new.uploaded_at, &new.key);
    let at = placed.iter().position(|image| !later(image)).unwrap_or(placed.len());
    placed.insert(at, new.clone());
    placed.truncate(IMAGES_MAX);
    (placed != images).then_some(placed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(list: &[(&str, i64)]) -> Vec<Shown> {
        list.iter().map(|(key, at)| Shown { key: (*key).to_owned(), uploaded_at: (*at > 0).then_some(*at) }).collect()
    }

    #[test]
    fn only_keys_of_ours_name_a_product() {
        assert_eq!(product_of(&original_key("prod_1", "img_2")), Some("prod_1"));
        for key in [
            "",
            "products/",
            "products/prod_1",
            "products/prod_1/",
            "products//img_1",
            "products/prod_1/a/b",
            "products/../img_1",
            "products/prod 1/img_1",
            "other/prod_1/img_1",
            "products/prod_1/img.svg",
            &format!("products/{}/img_1", "x".repeat(65)),
        ] {
            assert_eq!(product_of(key), None, "{key}");
        }
    }

    #[test]
    fn names_of_results() {
        assert_eq!(rendition_key(&image_key("prod_1", "00ff"), 800), "p/prod_1/00ff-800.jpg");
        assert_eq!(stored_key("p/prod_1/00ff", 320), "imagenes/p/prod_1/00ff-320.jpg");
    }

    #[test]
    fn the_newest_upload_is_in_front() {
        let check = |before: &[(&str, i64)], new: (&str, i64), after: Option<&[(&str, i64)]>| {
            assert_eq!(place(&shown(before), &shown(&[new])[0]), after.map(shown), "{before:?} {new:?}");
        };
        check(&[], ("a", 1), Some(&[("a", 1)]));
        check(&[("a", 1)], ("b", 2), Some(&[("b", 2), ("a", 1)]));
        // told of twice
        check(&[("a", 1)], ("a", 1), None);
        check(&[("b", 2), ("a", 1)], ("a", 1), None);
        // out of order
        check(&[("b", 2)], ("a", 1), Some(&[("b", 2), ("a", 1)]));
        check(&[("c", 3), ("a", 1)], ("b", 2), Some(&[("c", 3), ("b", 2), ("a", 1)]));
        // uploaded again, it comes to the front, and the older message changes nothing any more
        check(&[("b", 2), ("a", 1)], ("a", 3), Some(&[("a", 3), ("b", 2)]));
        check(&[("a", 3), ("b", 2)], ("a", 1), None);
        // pictures that came another way are the oldest
        check(&[("x", 0), ("y", 0)], ("a", 1), Some(&[("a", 1), ("x", 0), ("y", 0)]));
        check(&[("x", 0)], ("x", 1), Some(&[("x", 1)]));
    }

    #[test]
    fn the_oldest_gives_way() {
        let many: Vec<(String, i64)> = (1..=12).rev().map(|at| (format!("k{at}"), at + 1)).collect();
        let many: Vec<(&str, i64)> = many.iter().map(|(key, at)| (key.as_str(), *at)).collect();
        let placed = place(&shown(&many), &shown(&[("new", 100)])[0]).unwrap();
        assert_eq!((placed.len(), placed[0].key.as_str(), placed[11].key.as_str()), (IMAGES_MAX, "new", "k2"));
        assert_eq!(place(&shown(&many), &shown(&[("late", 1)])[0]), None);
    }

    proptest! {
        #[test]
        fn any_order_of_any_uploads_ends_the_same(uploads in proptest::collection::vec(("[a-h]", 1i64..20), 0..20), seed in any::<u64>()) {
            let all = |order: &[(String, i64)]| order.iter().fold(Vec::new(), |images, (key, at)| {
                let new = Shown { key: key.clone(), uploaded_at: Some(*at) };
                let placed = place(&images, &new);
                let images = placed.unwrap_or(images);
                assert_eq!(place(&images, &new), None);
                images
            });
            let mut shuffled = uploads.clone();
            let mut state = seed | 1;
            for at in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(at, (state >> 33) as usize % (at + 1));
            }
            prop_assert_eq!(all(&uploads), all(&shuffled));
        }
    }
}
