//! One declaration for an enumeration whose variants are fixed words in JSON, rows, leaves and policy.

/// Declares an enumeration of words with `ALL`, `as_str`, `from_word`, `Display`, and serde and OpenAPI by the same words. With
/// labels (`"word": "English" / "中文"`) also `label` and `labelled`: what people read for a word stands beside it.
macro_rules! word_enum {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $word:literal: $en:literal / $zh:literal, )+ }
    ) => {
        $crate::model::word_enum::word_enum! {
            $(#[$doc])*
            pub enum $name { $( $(#[$vdoc])* $variant = $word, )+ }
        }

        impl $name {
            /// What people read for it.
            #[must_use]
            pub const fn label(self) -> $crate::model::problems::Words {
                match self { $( Self::$variant => $crate::model::problems::Words { en: $en, zh: $zh }, )+ }
            }

            /// The word with its labels.
            #[must_use]
            pub fn labelled(self) -> $crate::model::lists::Labelled {
                $crate::model::lists::Labelled::new(self.as_str(), self.label())
            }
        }
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $word:literal, )+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $( $(#[$vdoc])* #[serde(rename = $word)] $variant, )+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The word used in JSON, rows, leaves and policy.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }

            /// The value with that word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )+ _ => None }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(Self::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use word_enum;
