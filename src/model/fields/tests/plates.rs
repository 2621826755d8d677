//! Number plates, by kind.

use super::{kept, refused, shipped};

#[test]
fn plates_of_embassies_begin_with_their_word() {
    assert_eq!(
        kept(
            "plate",
            &["使014578", "使 014·578", "使014-578", "\u{200b}使０１４５７８"]
        ),
        "使014578"
    );
    for none in ["京A1234使", "使01457", "使0145789", "使A14578", "使"] {
        refused("plate", none);
    }
}

#[test]
fn plates_of_fire_and_rescue_end_with_their_word() {
    assert_eq!(
        kept("plate", &["云S0000应急", "云S·0000 应急", "云s0000应急", "雲S0000應急"]),
        "云S0000应急"
    );
    assert_eq!(kept("plate", &["京X1234应急"]), "京X1234应急");
    for none in ["云A0000应急", "云S000应急", "云S00000应急", "云S0000应", "云S000A应急"] {
        refused("plate", none);
    }
}

#[test]
fn plates_for_a_use_end_with_its_word() {
    for plate in [
        "京A1234警",
        "京A1234学",
        "京A1234挂",
        "粤Z1234港",
        "粤Z1234澳",
        "沪A0012领",
        "京A1234试",
        "京A1234超",
        "京O12345",
    ] {
        assert_eq!(kept("plate", &[plate]), plate);
    }
    assert_eq!(kept("plate", &["粤Z·1234港", "粵Z1234港"]), "粤Z1234港");
    assert_eq!(kept("plate", &["京A1234學", "京A1234学"]), "京A1234学");
    // Hong Kong and Macao have plates of 粤Z alone.
    for none in ["粤A1234港", "京A1234澳", "粤Z12345港"] {
        refused("plate", none);
    }
    for none in ["京A1234用", "京A12345警", "京A123警", "京I12345", "京AO2345"] {
        refused("plate", none);
    }
}

#[test]
fn plates_are_written_with_and_without_signs() {
    assert_eq!(
        kept(
            "plate",
            &[
                "苏D12345",
                "苏d·12345",
                "苏D-12345",
                "苏D•12345",
                "苏D 12345",
                "苏Ｄ１２３４５",
                "苏D\u{200d}12345",
                "苏D−12345",
                "苏D_12345",
                "蘇D12345",
                "车牌号：苏D12345",
                "车牌 苏D·12345"
            ]
        ),
        "苏D12345"
    );
    assert_eq!(kept("plate", &["粤BD12345", "粤B·D12345"]), "粤BD12345");
    assert_eq!(kept("plate", &["粤B12345D"]), "粤B12345D");
}

#[test]
fn masks_of_plates() {
    let fields = shipped();
    let plate = fields.get("plate").unwrap();
    for (clear, masked) in [
        ("苏D45670", "苏D4***0"),
        ("粤BD12345", "粤BD****5"),
        ("使014578", "使******"),
        ("云S0000应急", "云S****应急"),
        ("京A1234警", "京A1***警"),
    ] {
        assert_eq!(plate.mask(clear), masked);
    }
}
