//! Carries scans of text files to another process; DataFusion's own scans carry themselves.

use std::sync::Arc;

use datafusion::{
    common::{DataFusionError, Result},
    datasource::{physical_plan::FileScanConfig, source::DataSourceExec},
    execution::TaskContext,
    physical_plan::ExecutionPlan,
};
use datafusion_proto::{
    physical_plan::{
        AsExecutionPlan, PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
        from_proto::{parse_protobuf_file_scan_config, parse_table_schema_from_proto},
        to_proto::serialize_file_scan_config,
    },
    protobuf::{JsonScanExecNode, PhysicalPlanNode, physical_plan_node::PhysicalPlanType},
};
use serde::{Deserialize, Serialize};

use super::{Options, format_named, text::TextSource};

/// Encodes and decodes scans of text files; to be composed with the codecs of other nodes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceCodec;

/// What a scan is beside DataFusion's own part of it.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    options: Options,
    place: String,
}

impl PhysicalExtensionCodec for SourceCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        _: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let malformed = || DataFusionError::Execution("the bytes are not a scan of text files".to_owned());
        // A line of JSON, then the scan: JSON holds no raw line break.
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(malformed)?;
        let header: Header = serde_json::from_slice(bytes.get(..end).unwrap_or_default()).map_err(|_| malformed())?;
        let node = PhysicalPlanNode::try_decode(bytes.get(end + 1..).unwrap_or_default())?;
        let Some(PhysicalPlanType::JsonScan(JsonScanExecNode { base_conf: Some(scan) })) = node.physical_plan_type
        else {
            return Err(malformed());
        };
        let schema = parse_table_schema_from_proto(&scan)?;
        let source = format_named(&header.format)?.file_source(&header.options, schema, &header.place)?;
        let decoding = PhysicalPlanDecodeContext::new(context, self);
        let config = parse_protobuf_file_scan_config(&scan, &decoding, converter, source)?;
        Ok(DataSourceExec::from_data_source(config))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let scan = node.downcast_ref::<DataSourceExec>();
        let config = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
        let source = config.and_then(|config| config.file_source().downcast_ref::<TextSource>());
        let (Some(config), Some(source)) = (config, source) else {
            return Err(DataFusionError::NotImplemented(format!("{} is not a scan of text files", node.name())));
        };
        let (format, options, place) = source.origin();
        let header = Header { format: format.to_owned(), options: options.clone(), place: place.to_owned() };
        let header = serde_json::to_vec(&header).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let scan = serialize_file_scan_config(config, self, converter)?;
        // DataFusion has a message for scans in general only inside those of its own formats.
        let scan = PhysicalPlanType::JsonScan(JsonScanExecNode { base_conf: Some(scan) });
        bytes.extend_from_slice(&header);
        bytes.push(b'\n');
        PhysicalPlanNode { physical_plan_type: Some(scan) }.try_encode(bytes)
    }
}
