//! The TypeScript event maps, generated from the Rust types and compared with what the npm package ships.

use std::fs;
use std::path::Path;

use ts_rs::{Config, TS};

use super::{WireEvent, colabmatch, masterx, rules};

/// The parts of one catalogue, in the order that they are written in.
struct Catalogue {
    name: &'static str,
    about: &'static str,
    shared: Vec<String>,
    client: Vec<Event>,
    server: Vec<Event>,
}

struct Event {
    wire: &'static str,
    about: String,
    payload: String,
}

fn event<E: WireEvent + TS>() -> Event {
    Event { wire: E::TYPE, about: about::<E>(), payload: pretty(&E::inline(&Config::default())) }
}

fn open_event<E: WireEvent + TS>() -> Event {
    let Event { wire, about, payload } = event::<E>();
    Event { wire, about, payload: open(payload) }
}

fn shared<T: TS>() -> String {
    let config = Config::default();
    format!("{}{}", about::<T>(), pretty(&format!("export type {} = {};", T::name(&config), T::inline(&config))))
}

/// The documentation of a type, on one line of its own.
fn about<T: TS>() -> String {
    format!("{}\n", pretty(&T::docs().expect("`missing_docs` is denied")))
}

/// The declaration of an object that may have further fields.
fn open(declaration: String) -> String {
    let end = declaration.rfind('}').expect("an object");
    format!("{}  [field: string]: unknown;\n{}", &declaration[..end], &declaration[end..])
}

/// One field a line, each behind its documentation. Every field has some, because `missing_docs` is denied.
fn pretty(declaration: &str) -> String {
    let joined = declaration.split_whitespace().collect::<Vec<_>>().join(" ").replace("/** * ", "/** ");
    // What rustdoc links in brackets, TSDoc links with a tag.
    let joined = joined.replace("[`", "{@link ").replace("`]", "}");
    let lines =
        joined.replace("{ /**", "{\n/**").replace(", /**", ";\n/**").replace(" */ ", " */\n").replace(", }", ";\n}");
    let mut depth = 0_usize;
    let mut out = Vec::new();
    for line in lines.lines() {
        depth -= usize::from(line.starts_with('}'));
        out.push(format!("{}{line}", "  ".repeat(depth)));
        depth += usize::from(line.ends_with('{'));
    }
    out.join("\n")
}

fn masterx() -> Catalogue {
    use masterx::*;
    Catalogue {
        name: "MasterX",
        about: "MasterX, an emotion-aware learning platform",
        shared: vec![
            open(shared::<OutgoingMessage>()),
            shared::<IncomingMessage>(),
            shared::<PadValues>(),
            shared::<Level>(),
            open(shared::<Emotion>()),
            shared::<Member>(),
            open(shared::<AnswerFeedback>()),
        ],
        client: vec![
            event::<JoinSession>(),
            event::<LeaveSession>(),
            event::<UserTyping>(),
            event::<MessageSent>(),
            event::<Ping>(),
        ],
        server: vec![
            event::<Pong>(),
            event::<EmotionUpdate>(),
            event::<TypingIndicator>(),
            event::<MessageReceived>(),
            event::<MessageDelta>(),
            event::<SessionMembers>(),
            open_event::<SessionUpdate>(),
            open_event::<Notification>(),
            event::<ServerError>(),
        ],
    }
}

fn colabmatch() -> Catalogue {
    use colabmatch::*;
    Catalogue {
        name: "CoLabMatch",
        about: "CoLabMatch, one-to-one chat between matched people",
        shared: vec![],
        client: vec![event::<JoinMatch>(), event::<SendMessage>(), event::<Typing>(), event::<ReadMessage>()],
        server: vec![
            event::<Connected>(),
            event::<NewMessage>(),
            event::<UserTyping>(),
            event::<TypingStopped>(),
            event::<UserOnlineStatus>(),
            event::<MessageRead>(),
            event::<SessionMembers>(),
            event::<SessionUpdate>(),
            event::<ServerError>(),
        ],
    }
}

/// The names of emotions as a constant, and as a type that takes others too.
fn write_emotions(out: &mut String) {
    out.push_str("/** The names of emotions that MasterX uses. A server may send others. */\n");
    out.push_str("export const EMOTIONS = [\n");
    for name in masterx::EMOTIONS {
        out.push_str(&format!("  \"{name}\",\n"));
    }
    out.push_str("] as const;\n\n");
    out.push_str("/** One of {@link EMOTIONS}. */\n");
    out.push_str("export type EmotionName = (typeof EMOTIONS)[number];\n\n");
}

fn write_map(out: &mut String, name: &str, about: &str, events: &[Event]) {
    out.push_str(&format!("/** {about} */\nexport interface {name} {{\n"));
    for Event { wire, about, payload } in events {
        // ts-rs has its own idea of an object without fields.
        let payload = payload.replace("Record<symbol, never>", "Record<string, never>").replace('\n', "\n  ");
        out.push_str(&format!("  {about}  {wire}: {payload};\n"));
    }
    out.push_str("}\n\n");
}

fn generate() -> String {
    let mut out = String::from("// Generated from the Rust types by `cargo xtask codegen`.\n\n");
    write_emotions(&mut out);
    for catalogue in [masterx(), colabmatch()] {
        let Catalogue { name, about, shared, client, server } = catalogue;
        for declaration in shared {
            out.push_str(&format!("{declaration}\n\n"));
        }
        write_map(&mut out, &format!("{name}ClientEvents"), &format!("What clients send in {about}."), &client);
        write_map(&mut out, &format!("{name}ServerEvents"), &format!("What the server sends in {about}."), &server);
        out.push_str(&format!("/** Every event of {about}. */\n"));
        out.push_str(&format!("export interface {name}Events extends {name}ClientEvents, {name}ServerEvents {{}}\n\n"));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[test]
fn event_maps_of_the_npm_package_match_the_rust_types() {
    compare("pkg/src/events.ts", &generate());
}

/// Compares a file with what is generated, or writes it for `cargo xtask codegen`.
fn compare(file: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("EVERWIRE_UPDATE").is_some() {
        fs::write(&path, generated).expect("the file can be written");
    }
    let shipped = fs::read_to_string(&path).unwrap_or_default();
    assert!(shipped == generated, "{file} differs from the Rust types: run `cargo xtask codegen`");
}

/// The ranges of the numeric options, in the order in which Rust reads them.
fn option_ranges() -> String {
    let mut out = String::from(
        "// Generated from the Rust ranges by `cargo xtask codegen`.\n\n\
         /** A numeric option: its path, the lowest and the highest value, and whether Infinity and fractions fit. */\n\
         export type OptionRange = readonly [\n\
         \x20 path: string,\n\
         \x20 least: number,\n\
         \x20 most: number,\n\
         \x20 takesInfinity?: boolean,\n\
         \x20 takesFractions?: boolean,\n\
         ];\n\n\
         export const OPTION_RANGES: readonly OptionRange[] = [\n",
    );
    for option in &crate::proto::numeric_options::NUMERIC_OPTIONS {
        let (least, most, takes_infinity) = option.range();
        let flags = match (takes_infinity, option.takes_fractions()) {
            (true, _) => ", true",
            (false, true) => ", false, true",
            (false, false) => "",
        };
        out.push_str(&format!("  [\"{}\", {least}, {most}{flags}],\n", option.field));
    }
    out.push_str("];\n");
    out
}

#[test]
fn the_option_ranges_of_the_npm_package_match_those_in_rust_in_typescript() {
    compare("pkg/src/host/optionRanges.ts", &option_ranges());
}

fn rules() -> String {
    let mut out = String::from(
        "// Generated from the Rust rules by `cargo xtask codegen`.\n\n\
         import type { PurposeName } from \"../codes.js\";\n\n\
         /** What is special about sending one event type. Every other type is ordinary and replaces nothing. */\n\
         export interface EventRule {\n\
         \x20 readonly purpose: PurposeName;\n\
         \x20 /** The field of the payload that names the session that it is about. */\n\
         \x20 readonly session?: string;\n\
         \x20 /** Whether it replaces a waiting one about the same session. */\n\
         \x20 readonly coalesces?: true;\n\
         \x20 /** The field of the payload that says which of two says more, if it holds digits alone. */\n\
         \x20 readonly rank?: string;\n\
         }\n\n\
         export const RULES: { readonly [type: string]: EventRule | undefined } = {\n",
    );
    for rule in rules::RULES {
        let purpose = match rule.handling {
            rules::Handling::Ordinary => "ordinary",
            rules::Handling::Volatile => "volatile",
            rules::Handling::Join => "join",
            rules::Handling::Leave => "leave",
        };
        out.push_str(&format!("  {}: {{ purpose: \"{purpose}\"", rule.event));
        out.extend(rule.session.map(|field| format!(", session: \"{field}\"")));
        out.extend(rule.coalesces.then_some(", coalesces: true"));
        out.extend(rule.rank.map(|field| format!(", rank: \"{field}\"")));
        out.push_str(" },\n");
    }
    out.push_str("};\n");
    out
}

#[test]
fn the_rules_of_the_npm_package_match_those_in_rust_in_typescript() {
    compare("pkg/src/host/rules.ts", &rules());
}

/// The named values that cross between Rust and JavaScript, as types.
fn codes() -> String {
    use crate::proto::wire::ReceiptStatus;
    use crate::proto::{Cause, DropReason, Overflow, Phase, ProtocolViolation, RequestFailure};
    macro_rules! codes {
        ($enum:ident) => {
            $enum::ALL.iter().map(|value| value.code()).collect::<Vec<_>>()
        };
    }
    let types = [
        ("PhaseName", codes!(Phase)),
        ("CloseCause", codes!(Cause)),
        ("ProtocolViolation", codes!(ProtocolViolation)),
        ("DropName", codes!(DropReason)),
        ("FailureName", codes!(RequestFailure)),
        ("ReceiptName", codes!(ReceiptStatus)),
        ("OverflowName", codes!(Overflow)),
        ("PurposeName", vec!["ordinary", "volatile", "join", "leave"]),
    ];
    declarations(&types)
}

fn declarations(types: &[(&str, Vec<&str>)]) -> String {
    let mut out = String::from("// Generated from the Rust enums by `cargo xtask codegen`.\n");
    for (name, codes) in types {
        let quoted = codes.iter().map(|code| format!("\"{code}\"")).collect::<Vec<_>>();
        let line = format!("export type {name} = {};", quoted.join(" | "));
        let declaration = if line.len() <= LONGEST_LINE {
            line
        } else {
            format!("export type {name} =\n  | {};", quoted.join("\n  | "))
        };
        out.push_str(&format!("\n{declaration}\n"));
    }
    out
}

/// As the formatter of the package has it.
const LONGEST_LINE: usize = 120;

#[test]
fn the_codes_of_the_npm_package_match_those_in_rust_in_typescript() {
    compare("pkg/src/codes.ts", &codes());
}

#[cfg(feature = "socketio")]
#[test]
fn the_codes_for_socketio_match_those_in_rust_in_typescript() {
    use crate::proto::socketio::{Continuity, UnexpectedPacket};
    use crate::proto::wire::socketio::PacketFlaw;
    let flaws = PacketFlaw::ALL.iter().map(|flaw| flaw.code());
    let types = [
        ("ContinuityName", Continuity::ALL.iter().map(|value| value.code()).collect()),
        ("FlawName", flaws.chain(UnexpectedPacket::ALL.iter().map(|packet| packet.code())).collect()),
    ];
    compare("pkg/src/host/socketio/codes.ts", &declarations(&types));
}
