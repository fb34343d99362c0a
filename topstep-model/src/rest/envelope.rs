//! What every answer has around what was asked for: `success`, `errorCode`, `errorMessage`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::{ApiError, Refusal};
use super::payload::{Build, Payload, fill};
use crate::code::Code;
use crate::decode::{Path, RowError, Step};
use crate::scalar::Fault;
use crate::{OrderId, Text};

/// Reads an answer with status 200.
pub(super) fn read<P: Payload, C: Code>(body: &[u8]) -> Result<P, ApiError<C>> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let envelope = EnvelopeSeed::<P>(PhantomData).deserialize(&mut deserializer);
    let envelope = envelope.and_then(|envelope| deserializer.end().map(|()| envelope));
    // What serde says of it may repeat a token; where it is, does not.
    let envelope = envelope.map_err(|error| {
        let place = format!("not the JSON object of an answer (line {}, column {})", error.line(), error.column());
        malformed(None, Fault::missing("an answer", place))
    })?;
    let is_success = envelope.success.or(envelope.code.map(|code| code == 0));
    // A refusal stays one, whatever else is wrong with it; of a success nothing but its message may be wrong.
    if let Some((name, fault)) = envelope.fault
        && (matches!(name, "success" | "errorCode") || is_success != Some(false) && name != "errorMessage")
    {
        return Err(malformed(Some(name), fault));
    }
    let code = envelope.code.map(C::from_code);
    let Some(is_success) = is_success else {
        return Err(malformed(Some("success"), Fault::missing("an answer", "missing `success`, expected an answer")));
    };
    if !is_success {
        let code = code.unwrap_or(C::from_code(-1));
        let message = envelope.message.as_ref().map(Text::as_str);
        return Err(ApiError::Refused(Refusal::new(code, message, envelope.order_id)));
    }
    envelope.build.finish().map_err(ApiError::Malformed)
}

fn malformed<C>(name: Option<&'static str>, fault: Fault) -> ApiError<C> {
    let path = Path::START;
    let place = name.map_or(path, |name| path.then(Step::Member(name)));
    ApiError::Malformed(RowError::new(&place, fault))
}

struct Envelope<B> {
    success: Option<bool>,
    code: Option<i64>,
    message: Option<Text>,
    order_id: Option<OrderId>,
    build: B,
    fault: Option<(&'static str, Fault)>,
}

struct EnvelopeSeed<P>(PhantomData<P>);

impl<'de, P: Payload> DeserializeSeed<'de> for EnvelopeSeed<P> {
    type Value = Envelope<P::Build>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope<P::Build>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, P: Payload> Visitor<'de> for EnvelopeSeed<P> {
    type Value = Envelope<P::Build>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object of an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<P::Build>, A::Error> {
        let mut envelope = Envelope {
            success: None,
            code: None,
            message: None,
            order_id: None,
            build: P::Build::default(),
            fault: None,
        };
        while let Some(name) = map.next_key::<Text>()? {
            let mut fault = None;
            let member = match name.as_str() {
                "success" => fill(&mut envelope.success, &mut map, &mut fault).map(|()| "success")?,
                "errorCode" => fill(&mut envelope.code, &mut map, &mut fault).map(|()| "errorCode")?,
                "errorMessage" => fill(&mut envelope.message, &mut map, &mut fault).map(|()| "errorMessage")?,
                // It may stand beside a refusal, where it is no part of a success.
                "orderId" => fill(&mut envelope.order_id, &mut map, &mut fault).map(|()| "orderId")?,
                other => match envelope.build.fill(other, &mut map, &mut fault)? {
                    Some(name) => name,
                    None => {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                },
            };
            if let Some(fault) = fault {
                envelope.fault.get_or_insert((member, fault));
            }
        }
        envelope.build.take_order_id(envelope.order_id);
        Ok(envelope)
    }
}
