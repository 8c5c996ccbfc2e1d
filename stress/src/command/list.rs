//! `stress list`

use crate::coexist::component;
use crate::failure::Failure;
use crate::mutate::{fields, models};
use crate::workload::Workload;
use crate::{catalogue, fault, subject, target};
use serde_json::{Value, json};
use sigwalk_record::exit;

/// Prints what campaigns may name.
///
/// # Errors
/// None so far.
pub fn run(as_json: bool) -> Result<i32, Failure> {
    if as_json {
        println!("{}", as_value());
        return Ok(exit::OK);
    }
    println!("Walkers");
    for (name, about) in subject::all() {
        println!("  {name:20} {about}");
        if let Some(why) = subject::not_available(name) {
            println!("  {:20}   not available: {why}", "");
        }
    }
    println!("\nWorkloads");
    for (workload, about) in Workload::ALL {
        println!("  {:20} {about}", workload.name());
    }
    println!("\nTargets");
    for target in target::all() {
        println!("  {:20} {}", target.name, target.about);
        if let Some(why) = target.not_available() {
            println!("  {:20}   not available: {why}", "");
        }
        println!("  {:20}   judged: {}", "", target.oracle);
        if !target.ids.is_empty() {
            println!("  {:20}   stands for {}", "", target.ids.join(", "));
        }
        for (name, value, about) in target.params {
            println!("  {:20}   {name} = {value}: {about}", "");
        }
    }
    println!("\nFaults");
    for fault in fault::ALL {
        println!("  {:20} {} [{}]", fault.name, fault.about, fault.ids.join(", "));
        if let Some(why) = fault.not_available() {
            println!("  {:20}   not available: {why}", "");
        }
    }
    println!("\nOther owners of signals, of `stress coexist`");
    for component in component::all() {
        println!("  {:24} {}", component.name, component.about);
    }
    println!("\nCatalogue of what goes wrong");
    for row in catalogue::all() {
        println!("  {:20} {}", row.id, row.about);
        for cover in row.covered_by() {
            println!("  {:20}   {cover}", "");
        }
        if !row.left_out.is_empty() {
            println!("  {:20}   left out: {}", "", row.left_out);
        }
    }
    println!("\nFields that `stress mutate` changes");
    for field in fields::ALL {
        println!("  {}", field.name());
    }
    println!("\nFault models");
    for model in models::ALL {
        println!("  {:20} {}", model.name(), model.about());
    }
    Ok(exit::OK)
}

fn as_value() -> Value {
    json!({
        "walkers": subject::all().map(|(name, about)| {
            json!({"name": name, "about": about, "not_available": subject::not_available(name).unwrap_or_default()})
        }).collect::<Vec<_>>(),
        "workloads": Workload::ALL.map(|(workload, about)| json!({"name": workload.name(), "about": about})),
        "targets": target::all().map(|target| json!({
            "name": target.name,
            "about": target.about,
            "oracle": target.oracle,
            "ids": target.ids,
            "not_available": target.not_available().unwrap_or_default(),
            "workloads": target.workloads.iter().map(|workload| workload.name()).collect::<Vec<_>>(),
            "params": target.params.iter().map(|(name, value, about)| json!({"name": name, "default": value, "about": about})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "faults": fault::ALL.iter().map(|fault| json!({
            "name": fault.name,
            "about": fault.about,
            "ids": fault.ids,
            "not_available": fault.not_available().unwrap_or_default(),
        })).collect::<Vec<_>>(),
        "other_owners": component::all().map(|component| json!({
            "name": component.name,
            "about": component.about,
        })).collect::<Vec<_>>(),
        "catalogue": catalogue::all().map(|row| json!({
            "id": row.id,
            "about": row.about,
            "covered_by": row.covered_by(),
            "left_out": row.left_out,
        })).collect::<Vec<_>>(),
        "fields": fields::ALL.iter().map(|field| field.name()).collect::<Vec<_>>(),
        "models": models::ALL.iter().map(|model| json!({"name": model.name(), "about": model.about()})).collect::<Vec<_>>(),
    })
}
