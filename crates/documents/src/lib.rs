//! Bytes to text with structure to chunks.
