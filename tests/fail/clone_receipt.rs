//! A receipt is spent, not copied.
fn copy(receipt: callervault::log::Receipt) {
    let _ = receipt.clone();
}
fn main() {}
