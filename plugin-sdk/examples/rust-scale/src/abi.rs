//! The part of weir/*.h that a pure transform needs, by hand. Names and order of fields are the headers'.
#![allow(dead_code)] // fields that only hold their place

use std::ffi::c_void;
use std::os::raw::c_char;

pub const ABI_MAJOR: u32 = 0;
pub const ABI_MINOR: u32 = 1;

pub const OK: i32 = 0;
pub const E_INVALID: i32 = 1;
pub const E_INTERNAL: i32 = 6;

pub const COMPONENT: &[u8] = b"weir.component.draft/1\0";
pub const TRANSFORM: &[u8] = b"weir.transform.draft/1\0";

pub const KIND_TRANSFORM: u32 = 2;

pub const VALUE_F64: u32 = 1;
pub const VALUE_I64: u32 = 2;
pub const FIELD_UNIT: u32 = 4;
pub const FIELD_VALUE: u32 = 5;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub data: *const u8,
    pub size: u64,
}

impl Text {
    pub const EMPTY: Text = Text { data: std::ptr::null(), size: 0 };
    pub fn of(text: &str) -> Text {
        Text { data: text.as_ptr(), size: text.len() as u64 }
    }
}

#[repr(C)]
pub struct Error {
    pub code: i32,
    pub retry_after_ms: u32,
    pub text: *mut u8,
    pub text_capacity: u32,
    pub pointer_capacity: u32,
    pub pointer: *mut u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ref {
    pub offset: u32,
    pub size: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Value {
    pub f64: f64,
    pub i64: i64,
    pub boolean: u64,
    pub reference: Ref,
}

#[repr(C)]
pub struct Batch {
    pub magic: u32,
    pub header_size: u32,
    pub event_size: u32,
    pub count: u32,
    pub total_size: u64,
    pub epoch: u64,
}

#[repr(C)]
pub struct Event {
    pub id: [u8; 16],
    pub trace_id: [u8; 16],
    pub parent_span: [u8; 8],
    pub sequence: u64,
    pub part: u32,
    pub flags: u32,
    pub timestamp_ns: i64,
    pub received_ns: i64,
    pub device_id: Ref,
    pub sensor_type: Ref,
    pub unit: Ref,
    pub dedupe_key: Ref,
    pub value_type: u32,
    pub metadata_count: u32,
    pub value: Value,
    pub metadata_offset: u32,
    pub reserved: u32,
}

const _: () = assert!(std::mem::size_of::<Batch>() == 32);
const _: () = assert!(std::mem::size_of::<Event>() == 128);

impl Batch {
    /// The i-th event. Records are `event_size` bytes apart, which may be more than this Event has.
    ///
    /// # Safety
    /// `batch` is one that the host has passed, and i is below its count.
    pub unsafe fn event<'a>(batch: *const Batch, i: u32) -> &'a Event {
        let offset = (*batch).header_size as usize + i as usize * (*batch).event_size as usize;
        &*(batch as *const u8).add(offset).cast::<Event>()
    }
}

#[repr(C)]
pub struct Amendment {
    pub field: u32,
    pub value_type: u32,
    pub value: Value,
    pub text: Text,
    pub key: Text,
}

#[repr(C)]
pub struct Output {
    pub keep: unsafe extern "C" fn(*mut Output, u32),
    pub drop: unsafe extern "C" fn(*mut Output, u32, Text),
    pub reject: unsafe extern "C" fn(*mut Output, u32, u32, Text),
    pub amend: unsafe extern "C" fn(*mut Output, u32, *const Amendment) -> i32,
    pub emit: *const c_void,
    pub put: *const c_void,
}

/// The host's handle; this plugin asks it for nothing.
#[repr(C)]
pub struct Host {
    _private: [u8; 0],
}

#[repr(C)]
pub struct Health {
    pub state: u32,
    pub text_capacity: u32,
    pub text: *mut u8,
}

pub type Step = unsafe extern "C" fn(*mut c_void, i64, *mut Error) -> i32;

#[repr(C)]
pub struct Component {
    pub create: unsafe extern "C" fn(*mut Host, Text, *mut *mut c_void, *mut Error) -> i32,
    pub prepare: Step,
    pub start: Step,
    pub pause: Step,
    pub resume: Step,
    pub drain: Step,
    pub stop: Step,
    pub destroy: unsafe extern "C" fn(*mut c_void),
    pub health: unsafe extern "C" fn(*mut c_void, *mut Health),
}

#[repr(C)]
pub struct Transform {
    pub process: unsafe extern "C" fn(*mut c_void, *const c_void, *const Batch, *mut Output, *mut Error) -> i32,
    pub restore: *const c_void,
    pub tick: *const c_void,
    pub state_format: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Descriptor {
    pub size: u32,
    pub kind: u32,
    pub name: *const c_char,
    pub description: *const c_char,
    pub config_schema: *const c_char,
    pub required: *const *const c_char,
    pub optional: *const *const c_char,
    pub capabilities: u32,
    pub takeover: u32,
    pub transform: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Entry {
    pub abi_major: u32,
    pub abi_minor: u32,
    pub init: unsafe extern "C" fn(*mut Host, *mut Error) -> i32,
    pub deinit: unsafe extern "C" fn(),
    pub component_count: unsafe extern "C" fn() -> u32,
    pub descriptor: unsafe extern "C" fn(u32) -> *const Descriptor,
    pub get_interface: unsafe extern "C" fn(*const c_char, *const c_char) -> *const c_void,
}

/// A constant that holds pointers to constants: nobody writes it, so any thread may read it.
#[repr(transparent)]
pub struct Constant<T>(pub T);
unsafe impl<T> Sync for Constant<T> {}

/// Writes what is wrong to where the caller wants it, cut to its room, and gives the status back.
///
/// # Safety
/// `error` is one that the host has passed.
pub unsafe fn fail(error: *mut Error, code: i32, text: &str, pointer: &str) -> i32 {
    (*error).code = code;
    copy((*error).text, (*error).text_capacity, text);
    copy((*error).pointer, (*error).pointer_capacity, pointer);
    code
}

/// Copies as many whole characters as fit, and a NUL.
///
/// # Safety
/// `to` points at `capacity` bytes.
pub unsafe fn copy(to: *mut u8, capacity: u32, text: &str) {
    if capacity == 0 {
        return;
    }
    let mut size = text.len().min(capacity as usize - 1);
    while !text.is_char_boundary(size) {
        size -= 1;
    }
    std::ptr::copy_nonoverlapping(text.as_ptr(), to, size);
    *to.add(size) = 0;
}
