//! Maps and lists that share with their copies all that is not changed in them, and how what is shared is written as JSON.
//!
//! A snapshot is copied with each change of it: a copy and a change cost the way from a tree's root to a leaf.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sorted map.
pub type Map<K, V> = rpds::RedBlackTreeMapSync<K, V>;

/// A list that grows at its end.
pub type List<T> = rpds::VectorSync<T>;

/// What is shared, as what it is.
pub(super) mod shared {
    use super::*;

    pub(in crate::catalog) fn serialize<T: Serialize, S: Serializer>(
        value: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(serializer)
    }

    pub(in crate::catalog) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// A list as an array.
pub(super) mod list {
    use super::*;

    pub(in crate::catalog) fn serialize<T: Serialize, S: Serializer>(
        list: &List<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list)
    }

    pub(in crate::catalog) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<List<T>, D::Error> {
        Ok(Vec::<T>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// What has numbers, as an object of JSON with the numbers for keys.
pub(super) mod numbered {
    use super::*;

    pub(in crate::catalog) fn serialize<T: Serialize, S: Serializer>(
        map: &Map<u64, Arc<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(number, value)| (number, value.as_ref())))
    }

    pub(in crate::catalog) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Map<u64, Arc<T>>, D::Error> {
        let values = BTreeMap::<u64, T>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(number, value)| (number, Arc::new(value))).collect())
    }
}
