//! Writes a row's type, and how it is read and written, from one table.

/// Defines a row.
///
/// `required` members have their own type, `optional` ones an `Option`. `alias` gives a member another name that counts only
/// while the right one was not seen. `positions` are the members of a row that comes as an array. `find` replaces the search
/// for a name with a faster one.
macro_rules! row {
    (
        $(#[doc = $docs:literal])*
        pub struct $name:ident, $simple:literal, $expected:literal {
            $(
                $(#[doc = $doc:literal])*
                $need:ident $wire:literal $field:ident: $type:ty,
            )*
        }
        $(alias $other:literal => $target:ident;)?
        $(positions $($position:ident)*;)?
        $(find $find:path;)?
    ) => {
        $(#[doc = $docs])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                pub $field: $crate::row::row_field!(type $need $type),
            )*
        }

        /// The members of the table, by name.
        #[expect(non_camel_case_types, reason = "a member is called as its field")]
        #[derive(Clone, Copy)]
        pub enum Tag {
            $($field,)*
        }

        impl $crate::row::Row for $name {
            const NAME: &'static str = $simple;

            const MEMBERS: &'static [$crate::row::Member] = &[$(
                $crate::row::Member::new(
                    $wire,
                    $crate::row::row_field!(is_required $need),
                    <$type as $crate::row::Field>::KIND,
                    concat!($($doc,)*).trim_ascii(),
                ),
            )*];

            fn visit(&self, show: &mut dyn FnMut(&'static $crate::row::Member, $crate::row::Shown<'_>)) {
                let mut members = Self::MEMBERS.iter();
                $(
                    let value = $crate::row::row_field!(as_option $need &self.$field);
                    if let (Some(member), Some(value)) = (members.next(), value) {
                        show(member, $crate::row::Field::shown(value));
                    }
                )*
            }
        }

        impl $crate::row::Decode for $name {
            const EXPECTED: &'static str = $expected;
            const POSITIONS: &'static [Tag] = &[$($(Tag::$position,)*)?];
            const ALIAS: Option<(&'static str, Tag)> = [$(Some(($other, Tag::$target)),)? None][0];

            type Tag = Tag;

            #[inline]
            fn blank() -> Self {
                Self { $($field: $crate::row::row_field!(blank $need $type),)* }
            }

            #[inline(always)]
            fn tag(name: &str) -> Option<Tag> {
                $(return $find(name);)?
                #[allow(unreachable_code, reason = "some rows have their own search")]
                match name {
                    $($wire => Some(Tag::$field),)*
                    _ => None,
                }
            }

            fn name_of(tag: Tag) -> &'static str {
                match tag {
                    $(Tag::$field => $wire,)*
                }
            }

            #[inline]
            fn bit_of(tag: Tag) -> u32 {
                1 << tag as u32
            }

            #[inline]
            fn fill<'de, A: serde::de::MapAccess<'de>, F: $crate::scalar::OnFault>(
                &mut self,
                tag: Tag,
                seen: &mut u32,
                map: &mut A,
                on_fault: F,
            ) -> Result<(), A::Error> {
                // A row without required members notes nothing.
                let _ = &seen;
                match tag {
                    $(Tag::$field => $crate::row::row_field!(fill $need $type, self.$field, seen, tag, map, on_fault),)*
                }
            }

            #[inline]
            fn missing(seen: u32) -> Option<&'static str> {
                const REQUIRED: u32 = 0 $(| ($crate::row::row_field!(is_required $need) as u32) << Tag::$field as u32)*;
                $crate::row::first_missing(<Self as $crate::row::Row>::MEMBERS, REQUIRED & !seen)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            #[inline]
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::row::deserialize(deserializer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let length = 0 $(+ usize::from($crate::row::row_field!(as_option $need &self.$field).is_some()))*;
                let mut row = serializer.serialize_struct(stringify!($name), length)?;
                $(
                    match $crate::row::row_field!(as_option $need &self.$field) {
                        Some(value) => row.serialize_field($wire, value)?,
                        None => row.skip_field($wire)?,
                    }
                )*
                row.end()
            }
        }
    };
}

/// What a required and an optional member do differently.
macro_rules! row_field {
    (type required $type:ty) => { $type };
    (type optional $type:ty) => { Option<$type> };
    (is_required required) => { true };
    (is_required optional) => { false };
    (blank required $type:ty) => { <$type as $crate::row::Field>::blank() };
    (blank optional $type:ty) => { None };
    (as_option required $value:expr) => { Some($value) };
    (as_option optional $value:expr) => { $value.as_ref() };
    (fill required $type:ty, $place:expr, $seen:ident, $tag:ident, $map:ident, $fault:ident) => {{
        let mut read: Option<$type> = None;
        $map.next_value_seed($crate::scalar::FillMember { place: &mut read, on_fault: $fault })?;
        let bit = <Self as $crate::row::Decode>::bit_of($tag);
        if let Some(value) = read {
            $place = value;
            *$seen |= bit;
        } else {
            *$seen &= !bit;
        }
        Ok(())
    }};
    (fill optional $type:ty, $place:expr, $seen:ident, $tag:ident, $map:ident, $fault:ident) => {{
        $map.next_value_seed($crate::scalar::FillMember { place: &mut $place, on_fault: $fault })?;
        Ok(())
    }};
}

pub(crate) use {row, row_field};
