//! A serializer that refuses what would be lost on the way to JSON: the member `__proto__`, which an assignment does not make, and numbers that
//! JSON does not have.

use std::cell::Cell;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// What is written that way, whichever part of a serialisation it is.
pub(super) struct Lossless<'a, T> {
    inner: T,
    /// Whether it is the name of a member.
    is_name: bool,
    names_prototype: &'a Cell<bool>,
}

impl<'a, T> Lossless<'a, T> {
    /// `names_prototype` says afterwards whether it was the name of a member that has been refused.
    pub(super) const fn new(inner: T, names_prototype: &'a Cell<bool>) -> Self {
        Self { inner, is_name: false, names_prototype }
    }

    const fn with<U>(&self, inner: U) -> Lossless<'a, U> {
        Lossless { inner, is_name: self.is_name, names_prototype: self.names_prototype }
    }

    fn name<E: serde::ser::Error>(&self, name: &str) -> Result<(), E> {
        if name == PROTOTYPE {
            self.names_prototype.set(true);
            return Err(E::custom("an object of JavaScript can be given no such member"));
        }
        Ok(())
    }
}

/// What an object of JavaScript takes for the prototype that it is to have.
pub(super) const PROTOTYPE: &str = "__proto__";

impl<T: Serialize + ?Sized> Serialize for Lossless<'_, &T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(self.with(serializer))
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*);)*) => { $(
        fn $method(self, $($name: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($name),*)
        }
    )* };
}

macro_rules! finite {
    ($($method:ident: $type:ty,)*) => { $(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            if !value.is_finite() {
                return Err(S::Error::custom("JSON has no such number"));
            }
            self.inner.$method(value)
        }
    )* };
}

impl<'a, S: Serializer> Serializer for Lossless<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Lossless<'a, S::SerializeSeq>;
    type SerializeTuple = Lossless<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Lossless<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Lossless<'a, S::SerializeTupleVariant>;
    type SerializeMap = Lossless<'a, S::SerializeMap>;
    type SerializeStruct = Lossless<'a, S::SerializeStruct>;
    type SerializeStructVariant = Lossless<'a, S::SerializeStructVariant>;

    forward! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_char(value: char);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
    }

    finite! {
        serialize_f32: f32,
        serialize_f64: f64,
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        if self.is_name {
            self.name(value)?;
        }
        self.inner.serialize_str(value)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        if self.is_name {
            self.name(variant)?;
        }
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.with(value);
        self.inner.serialize_some(&value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.with(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.name(variant)?;
        let value = self.with(value);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Lossless::new(self.inner.serialize_seq(length)?, self.names_prototype))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Lossless::new(self.inner.serialize_tuple(length)?, self.names_prototype))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(Lossless::new(self.inner.serialize_tuple_struct(name, length)?, self.names_prototype))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.name(variant)?;
        let inner = self.inner.serialize_tuple_variant(name, index, variant, length)?;
        Ok(Lossless::new(inner, self.names_prototype))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Lossless::new(self.inner.serialize_map(length)?, self.names_prototype))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Lossless::new(self.inner.serialize_struct(name, length)?, self.names_prototype))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.name(variant)?;
        let inner = self.inner.serialize_struct_variant(name, index, variant, length)?;
        Ok(Lossless::new(inner, self.names_prototype))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($trait:ident: $method:ident,)*) => { $(
        impl<S: $trait> $trait for Lossless<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let value = self.with(value);
                self.inner.$method(&value)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )* };
}

elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! fields {
    ($($trait:ident,)*) => { $(
        impl<S: $trait> $trait for Lossless<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), S::Error> {
                self.name(key)?;
                let value = self.with(value);
                self.inner.serialize_field(key, &value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )* };
}

fields! { SerializeStruct, SerializeStructVariant, }

impl<S: SerializeMap> SerializeMap for Lossless<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        let key = Lossless { is_name: true, ..self.with(key) };
        self.inner.serialize_key(&key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let value = self.with(value);
        self.inner.serialize_value(&value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
