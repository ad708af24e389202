//! Start-up, configuration, logging, error answers and batch loops of every function; no SDK clients.
