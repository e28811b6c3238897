//! Verbs: use cases, one file each; they speak to ports only.
