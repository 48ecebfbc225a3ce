//! Files that are whole, private and found again, and files that are refused.

use std::sync::Arc;

use fusewire_learn::{Dictionary, Options, Table, Unattended, Values, fit};
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, path::Path};

use super::{Registry, digest};
use crate::{Error, ModelRef};

fn model_bytes(slope: f64) -> Vec<u8> {
    let number = |scale: f64| Values::Number((0..50).map(|row| f64::from(row) * scale).collect());
    let shops = Dictionary::Text(vec!["a".into(), "b".into()]);
    let shop = Values::Category { codes: (0..50).map(|row| row % 2).collect(), dictionary: Arc::new(shops) };
    let columns = vec![("x".into(), number(1.0)), ("y".into(), number(slope)), ("shop".into(), shop)];
    let options = Options { target: Some("y".into()), ..Options::default() }.validate().unwrap();
    fit(&Table { rows: 50, columns }, &options, 1, &Unattended).unwrap().model.to_bytes()
}

async fn kept(registry: &Registry, bytes: Vec<u8>) -> ModelRef {
    let (digest, location) = registry.put(bytes).await.unwrap();
    ModelRef { schema: "public".into(), name: "m".into(), version: 1, digest, location }
}

#[tokio::test]
async fn a_kept_model_is_loaded_once() {
    let registry = Registry::new(Arc::new(InMemory::new()), Path::from("models"), None, 1 << 20);
    let bytes = model_bytes(2.0);
    let reference = kept(&registry, bytes.clone()).await;
    assert_eq!(reference.digest, digest(&bytes));
    assert_eq!(reference.location, format!("models/{}.model", reference.digest));
    let loaded = registry.load(&reference).await.unwrap();
    assert_eq!(loaded.model.to_bytes(), bytes);
    assert!(Arc::ptr_eq(&loaded, &registry.load(&reference).await.unwrap()));
    let lookup = loaded.lookup("shop").unwrap();
    assert!(Arc::ptr_eq(lookup.dictionary(), loaded.model.column("shop").unwrap().dictionary().unwrap()));
    assert!(loaded.lookup("x").is_none() && loaded.lookup("nothing").is_none());
}

#[tokio::test]
async fn the_oldest_model_leaves_a_full_cache() {
    let (one, other) = (model_bytes(2.0), model_bytes(3.0));
    let registry = Registry::new(Arc::new(InMemory::new()), Path::default(), None, one.len().max(other.len()) as u64);
    let (one, other) = (kept(&registry, one).await, kept(&registry, other).await);
    let first = registry.load(&one).await.unwrap();
    assert!(Arc::ptr_eq(&first, &registry.load(&one).await.unwrap()));
    registry.load(&other).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &registry.load(&one).await.unwrap()));
}

#[tokio::test]
async fn damaged_and_missing_files_are_refused_by_name() {
    let store = Arc::new(InMemory::new());
    let registry = Registry::new(store.clone(), Path::from("models"), None, 1 << 20);
    let bytes = model_bytes(2.0);
    let reference = kept(&registry, bytes.clone()).await;
    let path = Path::from(reference.location.as_str());
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    for damaged in [flipped, bytes[..bytes.len() - 1].to_vec(), Vec::new()] {
        store.put(&path, damaged.into()).await.unwrap();
        let error = registry.load(&reference).await.unwrap_err();
        let expected = format!("the model file {} is damaged: its SHA-256 is ", reference.location);
        assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().starts_with(&expected), "{error}");
    }
    store.put(&path, "no model".into()).await.unwrap();
    let foreign = ModelRef { digest: digest(b"no model"), ..reference.clone() };
    assert!(matches!(registry.load(&foreign).await, Err(Error::Corrupt { .. })));
    store.delete(&path).await.unwrap();
    let error = registry.load(&reference).await.unwrap_err();
    assert!(matches!(error, Error::UndefinedFile { .. }) && error.to_string().contains(&reference.location), "{error}");
}

#[tokio::test]
async fn local_files_are_private_and_leave_nothing_unfinished() {
    let root = std::env::temp_dir().join(format!("fusewire-registry-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(&root).unwrap());
    let registry = Registry::new(store, Path::from("models"), Some(root.clone()), 1 << 20);
    let bytes = model_bytes(2.0);
    let reference = kept(&registry, bytes.clone()).await;
    kept(&registry, bytes).await;
    let files: Vec<_> = std::fs::read_dir(root.join("models")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [root.join(&reference.location)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    registry.load(&reference).await.unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    let error = registry.load(&ModelRef { digest: "0".into(), ..reference }).await.unwrap_err();
    assert!(matches!(error, Error::UndefinedFile { .. }), "{error}");
}
