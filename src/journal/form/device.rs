//! The form of what is known of a device.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tilld_domain::device::{Condition, Device};
use tilld_domain::ids::DeviceName;
use tilld_domain::printing::Fault;

use super::order::FaultForm;
use super::text::plain;

/// The word for what happens to a device.
pub(crate) const KIND: &str = "device_changed";

#[derive(Serialize, Deserialize)]
#[serde(remote = "Device", deny_unknown_fields)]
pub(super) struct DeviceForm {
    #[serde(with = "plain")]
    name: DeviceName,
    #[serde(with = "ConditionForm")]
    condition: Condition,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Condition", deny_unknown_fields)]
struct ConditionForm {
    #[serde(with = "maybe_fault")]
    fault: Option<Fault>,
    paper_low: bool,
}

mod maybe_fault {
    use super::{Deserialize, Deserializer, Fault, FaultForm, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Named(#[serde(with = "FaultForm")] Fault);

    pub(super) fn serialize<S: Serializer>(value: &Option<Fault>, out: S) -> Result<S::Ok, S::Error> {
        value.map(Named).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Fault>, D::Error> {
        Ok(Option::<Named>::deserialize(from)?.map(|Named(fault)| fault))
    }
}
