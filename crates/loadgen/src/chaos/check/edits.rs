//! What shows are called, after all edits.

use std::collections::BTreeMap;

use super::super::books::Books;
use super::super::history::{Answer, Call, History, Operation};
use super::{Kind, Violation, named};

/// Checks that every show that was edited has the name of an edit which no other one came after.
pub(super) fn check(history: &History, books: &Books, violations: &mut Vec<Violation>) {
    let mut edits: BTreeMap<i64, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        if let Call::EditShow { show_id } = operation.call {
            edits.entry(show_id).or_default().push(operation);
        }
    }
    for (show_id, edits) in edits {
        let name = books.show_names.get(&show_id).map(String::as_str);
        let author = edits.iter().find(|edit| name == Some(Operation::show_name(edit.id).as_str()));
        let mut done = edits.iter().filter(|edit| edit.answer == Answer::ShowEdited);
        let overruled = match author {
            Some(author) => match author.answer {
                Answer::ShowEdited => done.find(|edit| author.ended < edit.began),
                // It may have been done later.
                Answer::Unknown(_) => None,
                _ => Some(author),
            },
            None => done.next(),
        };
        if let Some(edit) = overruled {
            let says = format!("show {show_id} is called {name:?}, and {} was answered {:?}", named(edit), edit.answer);
            violations.push(Violation::new(Kind::EditLost, says).by([edit.id]));
        }
    }
}
