//! How every AWS client here is configured: from the environment, with Amazon's root certificates alone.
