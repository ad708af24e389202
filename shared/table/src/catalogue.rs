//! Products with their pictures, stock, reviews and categories.

pub mod categories;
pub mod index;
pub mod product_images;
pub mod product_stock;
pub mod products;
pub mod reviews;
