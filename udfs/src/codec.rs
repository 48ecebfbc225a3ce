//! How our operators travel to another process: DataFusion carries its own, this codec carries ours.
//!
//! Every operator is what it says in [`Portable`] and its inputs; [`NODES`] lists them. The other process needs a
//! session built by [`crate::register`] over the same store of model files.
//!
//! Functions go by their names. Those that know the statement, as `now()` does, must have been registered there before the
//! plan is read: the engine's `Circumstances`, of which it makes them, travel beside the plan, in bytes of their own that are
//! secret, and no operator holds any of them.

use std::{fmt::Debug, sync::Arc};

use datafusion::{
    error::{DataFusionError, Result},
    execution::TaskContext,
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    error::Error,
    plan::only_input,
    table::{
        embeddings::EmbeddingsExec,
        evaluate::{self, EvaluateExec},
        predict::PredictExec,
        recommend::RecommendExec,
        train::{self, TrainExec},
    },
};

/// An operator of ours: plain data over its inputs.
pub trait Portable: ExecutionPlan + Sized {
    /// What it is beside its inputs.
    type Payload: Serialize + DeserializeOwned;

    /// What this one is beside its inputs.
    fn payload(&self) -> Self::Payload;

    /// The operator that a payload and its inputs make.
    ///
    /// # Errors
    /// Inputs that do not fit.
    fn rebuild(payload: Self::Payload, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self>;
}

/// An operator that the codec carries.
#[derive(Debug, Clone, Copy)]
pub struct PortableNode {
    /// The name of the operator, as EXPLAIN shows it.
    pub name: &'static str,
    encode: Encode,
    decode: Decode,
}

/// The payload of an operator, if it is the right one.
type Encode = fn(&dyn ExecutionPlan) -> Option<serde_json::Result<Value>>;
/// The operator of a payload and its inputs.
type Decode = fn(Value, &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>>;

/// Every operator of this crate.
pub const NODES: &[PortableNode] = &[
    node::<TrainExec>("TrainExec"),
    node::<EvaluateExec>("EvaluateExec"),
    node::<PredictExec>("PredictExec"),
    node::<RecommendExec>("RecommendExec"),
    node::<EmbeddingsExec>("EmbeddingsExec"),
];

const fn node<N: Portable>(name: &'static str) -> PortableNode {
    PortableNode { name, encode: encode::<N>, decode: decode::<N> }
}

fn encode<N: Portable>(plan: &dyn ExecutionPlan) -> Option<serde_json::Result<Value>> {
    plan.downcast_ref::<N>().map(|node| serde_json::to_value(node.payload()))
}

fn decode<N: Portable>(payload: Value, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
    let payload = serde_json::from_value(payload).map_err(unreadable)?;
    Ok(Arc::new(N::rebuild(payload, inputs)?))
}

impl Portable for TrainExec {
    type Payload = train::Request;

    fn payload(&self) -> train::Request {
        self.request().clone()
    }

    fn rebuild(request: train::Request, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self> {
        Ok(Self::new(only_input("train", inputs)?, Arc::new(request)))
    }
}

impl Portable for EvaluateExec {
    type Payload = evaluate::Request;

    fn payload(&self) -> evaluate::Request {
        self.request().clone()
    }

    fn rebuild(request: evaluate::Request, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Self> {
        Ok(Self::new(only_input("evaluate", inputs)?, Arc::new(request)))
    }
}

/// What goes over the wire.
#[derive(Serialize, Deserialize)]
struct Envelope {
    node: String,
    payload: Value,
}

/// Writes and reads the operators of [`NODES`].
#[derive(Debug, Clone, Copy, Default)]
pub struct FunctionCodec;

impl PhysicalExtensionCodec for FunctionCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let unwritable = |error: serde_json::Error| Error::Internal(format!("cannot write {}: {error}", node.name()));
        let encoded = NODES.iter().find_map(|known| Some((known.name, (known.encode)(node.as_ref())?)));
        let Some((name, payload)) = encoded else {
            return Err(Error::Internal(format!("{} cannot travel to another process", node.name())).into());
        };
        let payload = payload.map_err(unwritable)?;
        Ok(serde_json::to_writer(buffer, &Envelope { node: name.into(), payload }).map_err(unwritable)?)
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        _context: &TaskContext,
        _converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let envelope: Envelope = serde_json::from_slice(buffer).map_err(unreadable)?;
        let Some(known) = NODES.iter().find(|known| known.name == envelope.node) else {
            let problem = format!("the plan holds {}, which this version does not know", envelope.node);
            return Err(Error::NotSupported(problem).into());
        };
        (known.decode)(envelope.payload, inputs)
    }
}

fn unreadable(error: serde_json::Error) -> DataFusionError {
    Error::InvalidData(format!("a plan from another process cannot be read: {error}")).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
