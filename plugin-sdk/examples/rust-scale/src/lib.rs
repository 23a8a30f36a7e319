//! rust.scale: value * factor + offset. README.md says what had to be done by hand.

mod abi;
mod config;

use abi::{Constant, VALUE_F64, VALUE_I64};
use std::ffi::{c_void, CStr};
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};

const NOT_A_NUMBER: u32 = 1;
const OVERFLOW: u32 = 2;

/// One instance: what one manifest asked for.
struct Scale {
    config: config::Config,
}

impl Scale {
    /// Decides about the i-th event.
    ///
    /// # Safety
    /// `output` is the host's, for the batch that the event is in.
    unsafe fn decide(&self, i: u32, event: &abi::Event, output: *mut abi::Output) {
        let number = match event.value_type {
            VALUE_F64 => event.value.f64,
            VALUE_I64 => event.value.i64 as f64,
            _ => return ((*output).reject)(output, i, NOT_A_NUMBER, abi::Text::of("the value is not a number")),
        };
        let scaled = number * self.config.factor + self.config.offset;
        if !scaled.is_finite() {
            return ((*output).reject)(output, i, OVERFLOW, abi::Text::of("the scaled value is too large"));
        }
        let value = abi::Amendment {
            field: abi::FIELD_VALUE,
            value_type: VALUE_F64,
            value: abi::Value { f64: scaled },
            text: abi::Text::EMPTY,
            key: abi::Text::EMPTY,
        };
        let mut status = ((*output).amend)(output, i, &value);
        if let (abi::OK, Some(unit)) = (status, &self.config.unit) {
            let unit = abi::Amendment { field: abi::FIELD_UNIT, text: abi::Text::of(unit), ..value };
            status = ((*output).amend)(output, i, &unit);
        }
        if status != abi::OK {
            ((*output).reject)(output, i, status as u32, abi::Text::of("the host refuses the new value or unit"));
        }
    }
}

/// Runs a call so that a panic ends here, as an error.
unsafe fn guarded(error: *mut abi::Error, call: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| abi::fail(error, abi::E_INTERNAL, "rust.scale panicked: please report it", ""))
}

// ---- Life ----

unsafe extern "C" fn create(
    _host: *mut abi::Host,
    json: abi::Text,
    instance: *mut *mut c_void,
    error: *mut abi::Error,
) -> i32 {
    guarded(error, || {
        let bytes = std::slice::from_raw_parts(json.data, json.size as usize);
        let text = std::str::from_utf8(bytes).unwrap_or("");
        match config::read(text) {
            Ok(config) => {
                *instance = Box::into_raw(Box::new(Scale { config })).cast();
                abi::OK
            }
            Err((what, pointer)) => abi::fail(error, abi::E_INVALID, &what, &pointer),
        }
    })
}

/// There is nothing to open, to start or to wait for.
unsafe extern "C" fn nothing_to_do(_instance: *mut c_void, _deadline_ns: i64, _error: *mut abi::Error) -> i32 {
    abi::OK
}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    drop(Box::from_raw(instance.cast::<Scale>()));
}

unsafe extern "C" fn health(_instance: *mut c_void, health: *mut abi::Health) {
    (*health).state = 0;
    abi::copy((*health).text, (*health).text_capacity, "");
}

static LIFE: abi::Component = abi::Component {
    create,
    prepare: nothing_to_do,
    start: nothing_to_do,
    pause: nothing_to_do,
    resume: nothing_to_do,
    drain: nothing_to_do,
    stop: nothing_to_do,
    destroy,
    health,
};

// ---- Work ----

unsafe extern "C" fn process(
    instance: *mut c_void,
    _context: *const c_void,
    batch: *const abi::Batch,
    output: *mut abi::Output,
    error: *mut abi::Error,
) -> i32 {
    guarded(error, || {
        let scale = &*instance.cast::<Scale>();
        for i in 0..(*batch).count {
            scale.decide(i, abi::Batch::event(batch, i), output);
        }
        abi::OK
    })
}

static WORK: Constant<abi::Transform> = Constant(abi::Transform {
    process,
    restore: std::ptr::null(),
    tick: std::ptr::null(),
    state_format: 0,
    reserved: 0,
});

// ---- What the library says about itself ----

const NAME: &[u8] = b"rust.scale\0";
const DESCRIPTION: &[u8] = b"Multiplies values by a factor and adds an offset\0";

/// The schema with the NUL that C wants.
static SCHEMA: [u8; config::SCHEMA.len() + 1] = {
    let mut text = [0; config::SCHEMA.len() + 1];
    let mut i = 0;
    while i < config::SCHEMA.len() {
        text[i] = config::SCHEMA[i];
        i += 1;
    }
    text
};

static NO_INTERFACES: Constant<[*const c_char; 1]> = Constant([std::ptr::null()]);

static DESCRIPTOR: Constant<abi::Descriptor> = Constant(abi::Descriptor {
    size: std::mem::size_of::<abi::Descriptor>() as u32,
    kind: abi::KIND_TRANSFORM,
    name: NAME.as_ptr().cast(),
    description: DESCRIPTION.as_ptr().cast(),
    config_schema: SCHEMA.as_ptr().cast(),
    required: NO_INTERFACES.0.as_ptr(),
    optional: NO_INTERFACES.0.as_ptr(),
    capabilities: 0,
    takeover: 0,  // overlap
    transform: 0, // pure
    reserved: 0,
});

unsafe extern "C" fn init(_host: *mut abi::Host, _error: *mut abi::Error) -> i32 {
    abi::OK
}
unsafe extern "C" fn deinit() {}
unsafe extern "C" fn component_count() -> u32 {
    1
}
unsafe extern "C" fn descriptor(i: u32) -> *const abi::Descriptor {
    if i == 0 {
        &DESCRIPTOR.0
    } else {
        std::ptr::null()
    }
}
unsafe extern "C" fn get_interface(name: *const c_char, id: *const c_char) -> *const c_void {
    let id = CStr::from_ptr(id).to_bytes_with_nul();
    if CStr::from_ptr(name).to_bytes_with_nul() != NAME {
        std::ptr::null()
    } else if id == abi::COMPONENT {
        (&LIFE as *const abi::Component).cast()
    } else if id == abi::TRANSFORM {
        (&WORK.0 as *const abi::Transform).cast()
    } else {
        std::ptr::null()
    }
}

/// The one symbol that the library shows.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static weir_plugin_entry: abi::Entry = abi::Entry {
    abi_major: abi::ABI_MAJOR,
    abi_minor: abi::ABI_MINOR,
    init,
    deinit,
    component_count,
    descriptor,
    get_interface,
};

const NOTE: &[u8] = br#"{"abi":[0,1,1],"id":"rust","version":"1.0.0","components":{"rust.scale":"transform"}}"#;
/// With its NUL, rounded up to the four bytes that a note is made of.
const NOTE_ROOM: usize = (NOTE.len() + 1 + 3) / 4 * 4;

/// An ELF note (gABI, "Note Section"): read without loading the library.
#[repr(C, align(4))]
pub struct Note {
    name_size: u32,
    description_size: u32,
    kind: u32,
    name: [u8; 8],
    description: [u8; NOTE_ROOM],
}
const _: () = assert!(std::mem::align_of::<Note>() == 4 && std::mem::size_of::<Note>() == 20 + NOTE_ROOM);

#[used]
#[link_section = ".note.weir"]
static WEIR_NOTE: Note = Note {
    name_size: 5,
    description_size: NOTE.len() as u32 + 1,
    kind: 1,
    name: *b"Weir\0\0\0\0",
    description: {
        let mut text = [0; NOTE_ROOM];
        let mut i = 0;
        while i < NOTE.len() {
            text[i] = NOTE[i];
            i += 1;
        }
        text
    },
};
