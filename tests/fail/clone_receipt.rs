//! A receipt is spent, not copied.
fn copy(receipt: callervault::audit::Receipt) {
    let _ = receipt.clone();
}
fn main() {}
