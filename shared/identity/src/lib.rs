//! Who is calling: token verification and sign-in.
