//! Rules of this repository that a machine can keep. Each names the file to look at when it fails.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Larger files belong in a release or a bucket; large samples are generated.
const FILE_BYTES_MAX: u64 = 400 * 1024;

/// What the event source mappings do with a function's role, and not the function itself.
const MAPPING_ACTIONS: [&str; 7] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files under git's care, and those that are about to be.
fn tracked() -> Vec<String> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&out.stderr));
    let all = String::from_utf8(out.stdout).unwrap();
    all.lines().filter(|name| root().join(name).is_file()).map(str::to_owned).collect()
}

fn functions() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| root().join("functions").join(name).join("Cargo.toml").exists())
        .collect();
    names.sort();
    names
}

/// `ingest-inventory` → `IngestInventory`.
fn stem(function: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(word).collect()
}

/// The blocks of one section of the template by their logical id. The template is written with two spaces a level.
fn blocks(section: &str) -> BTreeMap<String, String> {
    let text = read("template.yaml");
    let mut found = BTreeMap::new();
    let mut inside = false;
    let mut name = String::new();
    for line in text.lines() {
        let level = line.len() - line.trim_start().len();
        if level == 0 && !line.trim().is_empty() {
            inside = line == format!("{section}:");
        } else if inside && level == 2 && !line.trim_start().starts_with('#') {
            name = line.trim_start().split(':').next().unwrap().to_owned();
            found.insert(name.clone(), format!("{line}\n"));
        } else if inside && let Some(block) = found.get_mut(&name) {
            block.push_str(line);
            block.push('\n');
        }
    }
    assert!(!found.is_empty(), "template.yaml has no section {section}");
    found
}

fn resource(blocks: &BTreeMap<String, String>, name: &str) -> String {
    blocks.get(name).unwrap_or_else(|| panic!("template.yaml has no resource {name}")).clone()
}

/// Names under `Variables:` of a function's block.
fn declared(block: &str) -> BTreeSet<String> {
    let lines = block.lines().skip_while(|line| line.trim() != "Variables:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("          "));
    let names = lines.filter(|line| !line.starts_with("           ") && !line.trim_start().starts_with('#'));
    names.map(|line| line.trim().split(':').next().unwrap().to_owned()).collect()
}

/// A package's own crates of this workspace, itself first, and the SDK crates that all of them name.
fn dependencies(package: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut folders = BTreeSet::from([package.to_owned()]);
    let mut sdks = BTreeSet::new();
    let mut next = vec![package.to_owned()];
    while let Some(folder) = next.pop() {
        let manifest = read(format!("{folder}/Cargo.toml"));
        let mut inside = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                inside = line == "[dependencies]";
            } else if inside {
                let name = line.split(['.', ' ', '=']).next().unwrap();
                if let Some(shared) = name.strip_prefix("almacen-") {
                    let folder = format!("shared/{shared}");
                    if folders.insert(folder.clone()) {
                        next.push(folder);
                    }
                } else if let Some(sdk) = name.strip_prefix("aws-sdk-") {
                    sdks.insert(sdk.to_owned());
                }
            }
        }
    }
    (folders, sdks)
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// A source in two: what is deployed, and the items under `#[cfg(test)]`. In formatted code an item ends with a line that is
/// indented like its attribute.
fn split_tests(text: &str) -> (String, String) {
    let (mut code, mut tests) = (String::new(), String::new());
    let mut item: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "#[cfg(test)]" {
            item.get_or_insert(indent);
        }
        let part = if item.is_some() { &mut tests } else { &mut code };
        part.push_str(line);
        part.push('\n');
        if item == Some(indent) && line.ends_with(['}', ';', ',']) {
            item = None;
        }
    }
    (code, tests)
}

/// Files of modules that a file declares under `#[cfg(test)]`: all of such a file is test code.
fn test_files(path: &Path) -> Vec<PathBuf> {
    let (_, tests) = split_tests(&fs::read_to_string(path).unwrap());
    let names = tests.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let root = path.ends_with("lib.rs") || path.ends_with("main.rs") || path.ends_with("mod.rs");
    let folder = if root { path.parent().unwrap().to_path_buf() } else { path.with_extension("") };
    names.map(|name| folder.join(format!("{name}.rs"))).inspect(|file| assert!(file.is_file(), "{file:?}")).collect()
}

/// Environment variables that the code of these crates asks `Env` for, tests and comments left out.
fn asked(folders: &BTreeSet<String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let all: Vec<PathBuf> = folders.iter().flat_map(|folder| sources(&format!("{folder}/src"))).collect();
    let of_tests: BTreeSet<PathBuf> = all.iter().flat_map(|path| test_files(path)).collect();
    for path in all.iter().filter(|path| !of_tests.contains(*path)) {
        let (code, _) = split_tests(&fs::read_to_string(path).unwrap());
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for call in [".required(", ".number(", ".optional("] {
            for after in code.split(call).skip(1) {
                if let Some(name) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                    names.insert(name.to_owned());
                }
            }
        }
    }
    names
}

/// `service:Action` words of a block.
fn actions(block: &str) -> BTreeSet<String> {
    let words = block.split(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-' && c != '*');
    let is_action = |word: &&str| {
        word.split_once(':').is_some_and(|(service, action)| {
            service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && !service.is_empty()
                && action.starts_with(|c: char| c.is_ascii_uppercase() || c == '*')
        })
    };
    words
        .filter(is_action)
        .filter(|word| !word.starts_with("sts:") && !word.starts_with("arn:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_function_has_its_block_role_and_logs() {
    let resources = blocks("Resources");
    for function in functions() {
        let stem = stem(&function);
        let block = resource(&resources, &format!("{stem}Function"));
        for line in [
            format!("CodeUri: target/lambda/{function}/"),
            format!("FunctionName: !Sub ${{AWS::StackName}}-{function}"),
            format!("Role: !GetAtt {stem}Role.Arn"),
            format!("LoggingConfig: {{ LogGroup: !Ref {stem}Logs }}"),
        ] {
            assert!(block.contains(&line), "template.yaml: {stem}Function lacks the line `{line}`");
        }
        resource(&resources, &format!("{stem}Role"));
        let logs = resource(&resources, &format!("{stem}Logs"));
        assert!(logs.contains("RetentionInDays:"), "template.yaml: {stem}Logs keeps its lines for ever");
        let manifest = read(format!("functions/{function}/Cargo.toml"));
        assert!(
            manifest.contains(&format!("name = \"{function}\"")),
            "functions/{function}: the package has another name"
        );
    }
    let listed: BTreeSet<String> = functions().iter().map(|function| format!("{}Function", stem(function))).collect();
    for (name, block) in &resources {
        if block.contains("Type: AWS::Serverless::Function") {
            assert!(listed.contains(name), "template.yaml: {name} has no folder under functions/");
        }
    }
}

#[test]
fn every_function_has_sample_events() {
    for function in functions() {
        let folder = root().join("events").join(&function);
        let files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap_or_else(|_| panic!("events/{function}/ is missing: one JSON per case"))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        assert!(!files.is_empty(), "events/{function}/ holds no JSON");
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&text);
            assert!(parsed.is_ok(), "{} is no JSON", path.display());
        }
    }
}

#[test]
fn every_function_stands_in_the_map() {
    let map = read("ARCHITECTURE.md");
    for function in functions() {
        assert!(map.contains(&format!("`{function}`")), "ARCHITECTURE.md does not mention `{function}`");
    }
}

#[test]
fn declared_environment_is_used_environment() {
    let resources = blocks("Resources");
    for function in functions() {
        let declared = declared(&resource(&resources, &format!("{}Function", stem(&function))));
        let (folders, _) = dependencies(&format!("functions/{function}"));
        let asked = asked(&folders);
        assert_eq!(declared, asked, "{function}: left is what template.yaml declares, right is what the code asks for");
    }
}

#[test]
fn a_role_allows_the_services_that_its_function_links() {
    let resources = blocks("Resources");
    for function in functions() {
        let role = resource(&resources, &format!("{}Role", stem(&function)));
        let all = actions(&role);
        assert!(!all.iter().any(|action| action.contains('*')), "{function}: a wildcard in its role");
        // A function that no queue invokes asks queues by itself.
        let block = resource(&resources, &format!("{}Function", stem(&function)));
        let mapped = block.contains("Type: SQS\n");
        let own = all
            .iter()
            .filter(|action| !MAPPING_ACTIONS.contains(&action.as_str()) || (action.starts_with("sqs:") && !mapped));
        let allowed: BTreeSet<String> = own
            .filter_map(|action| action.split(':').next())
            .filter(|&service| service != "logs")
            .map(str::to_owned)
            .collect();
        let (_, sdks) = dependencies(&format!("functions/{function}"));
        // Most of what we ask Cognito are public calls, which need no right; and its rights have another name.
        let cognito = sdks.contains("cognitoidentityprovider");
        let allowed: BTreeSet<String> = allowed.into_iter().filter(|s| !(cognito && s == "cognito-idp")).collect();
        let linked: BTreeSet<String> = sdks.into_iter().filter(|sdk| sdk != "cognitoidentityprovider").collect();
        assert_eq!(allowed, linked, "{function}: left is what its role allows, right the SDKs that it links");
    }
}

#[test]
fn every_queue_of_failures_has_its_alarm() {
    let resources = blocks("Resources");
    let is_queue = |block: &&String| block.contains("Type: AWS::SQS::Queue\n");
    let failures = resources
        .iter()
        .filter(|(name, block)| is_queue(block) && (name.ends_with("DeadLetters") || name.ends_with("Failures")));
    let mut seen = 0;
    for (name, _) in failures {
        let alarm = resource(&resources, &format!("{name}Alarm"));
        assert!(
            alarm.contains(&format!("!GetAtt {name}.QueueName")),
            "template.yaml: {name}Alarm watches another queue"
        );
        assert!(alarm.contains("AlarmActions: [!Ref OperationsTopic]"), "template.yaml: {name}Alarm tells nobody");
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} queues of failures were found");
}

#[test]
fn every_package_inherits_versions_and_lints() {
    for name in tracked().iter().filter(|name| name.ends_with("Cargo.toml") && name.as_str() != "Cargo.toml") {
        let text = read(name);
        if text.contains("[workspace]") {
            continue; // stands alone on purpose, as a fuzz target does
        }
        assert!(text.contains("[lints]\nworkspace = true"), "{name} does not inherit the lints");
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.contains("dependencies");
            } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
                assert!(line.contains("workspace = true"), "{name}: `{line}` has a version of its own");
            }
        }
    }
}

/// Time and random numbers come from `almacen_clock`, so that a simulation can set both. What a test does is its own.
#[test]
fn one_crate_reads_clocks_and_draws_numbers() {
    let forbidden = ["SystemTime::now", "std::time::Instant", "time::{Duration, Instant", "fastrand::", "new_v4"];
    let (mut places, mut read_files) = (Vec::new(), 0);
    let packages = ["shared", "functions"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    for package in packages.into_iter().flatten().map(|entry| entry.unwrap().path()) {
        if package.ends_with("shared/clock") {
            continue;
        }
        let all = sources(&package.join("src").to_string_lossy());
        let tests: BTreeSet<PathBuf> = all.iter().flat_map(|path| test_files(path)).collect();
        for path in all.iter().filter(|path| !tests.contains(*path)) {
            read_files += 1;
            let code = split_tests(&read(path)).0;
            let found = forbidden.iter().filter(|word| code.contains(*word));
            places.extend(found.map(|word| format!("{}: {word}", path.display())));
        }
    }
    assert!(read_files > 100, "only {read_files} sources were read");
    assert!(places.is_empty(), "use almacen_clock: {places:#?}");
}

/// A second value under the same placeholder would replace the version that a condition compares with.
#[test]
fn placeholders_of_version_conditions_are_theirs_alone() {
    let theirs = "shared/dynamo/src/version.rs";
    let found: Vec<String> = tracked()
        .into_iter()
        .filter(|name| name.ends_with(".rs") && (name.starts_with("shared/") || name.starts_with("functions/")))
        .filter(|name| name != theirs)
        .filter(|name| {
            let code = split_tests(&read(name)).0;
            code.contains(":seen_version") || (0..10).any(|digit| code.contains(&format!(":version{digit}")))
        })
        .collect();
    assert!(read(theirs).contains(":seen_version"), "{theirs} has no such placeholder any more");
    assert_eq!(found, [] as [String; 0], "use another placeholder than those of dynamo::version");
}

#[test]
fn no_file_is_large() {
    for name in tracked() {
        let bytes = fs::metadata(root().join(&name)).unwrap().len();
        // A vendored library is as large as its authors made it; web/vendor/README.md lists them.
        assert!(bytes <= FILE_BYTES_MAX || name.starts_with("web/vendor/"), "{name} has {bytes} bytes");
    }
}

/// The one place where a test sleeps: between two looks at a condition, until its deadline.
const WAITING: &str = "tests/e2e/wait.rs";

/// A test waits for a condition, with a deadline: through `eventually` in [`WAITING`].
#[test]
fn no_test_sleeps_and_hopes() {
    let all: Vec<String> = tracked().into_iter().filter(|name| name.ends_with(".rs")).collect();
    let of_tests: BTreeSet<PathBuf> = all.iter().flat_map(|name| test_files(&root().join(name))).collect();
    let mut found = Vec::new();
    for name in &all {
        let text = read(name);
        let whole = name.contains("/tests/") || name.starts_with("tests/") || of_tests.contains(&root().join(name));
        let code = if whole { text } else { split_tests(&text).1 };
        let calls = ["sleep(", "sleep_until(", "park_timeout("];
        // A quote stands before the words in the line above.
        let sleeps =
            |line: &str| calls.iter().any(|call| line.match_indices(call).any(|(at, _)| !line[..at].ends_with('"')));
        let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//") && sleeps(line));
        found.extend(lines.map(|line| (name.clone(), line.to_owned())));
    }
    let places: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(places, [WAITING], "tests sleep here; wait with `eventually`, or move a paused clock: {found:?}");
}

#[test]
fn what_stands_after_tests_is_code() {
    let text = "a\n#[cfg(test)]\nmod model;\nb\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\nd\n";
    let (code, tests) = split_tests(text);
    assert_eq!(code, "a\nb\nd\n");
    assert_eq!(tests, "#[cfg(test)]\nmod model;\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\n");
}

/// The nodes that are on a ring, or between two: the others are taken away from both ends, one after another.
fn ringed(mut imports: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let before = imports.len();
        let wanted: BTreeSet<String> = imports.values().flatten().cloned().collect();
        imports.retain(|name, next| wanted.contains(name) && !next.is_empty());
        let left: BTreeSet<String> = imports.keys().cloned().collect();
        imports.values_mut().for_each(|next| next.retain(|name| left.contains(name)));
        if imports.len() == before && imports.values().all(|next| !next.is_empty()) {
            return imports;
        }
    }
}

/// Modules directly under `crate`, whose names follow `crate::`; `main` is all else that follows it.
#[test]
fn no_modules_of_xtask_import_each_other() {
    let folder = root().join("xtask/src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&folder).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    };
    let names: BTreeSet<String> = sources("xtask/src").iter().map(|path| module(path)).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in sources("xtask/src") {
        let own = module(&path);
        let next = imports.entry(own.clone()).or_default();
        if own == "main" {
            next.extend(names.iter().filter(|name| *name != "main").cloned());
        }
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for after in code.join("\n").split("crate::").skip(1) {
            let list = after.strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or(after);
            let count = if after.starts_with('{') { usize::MAX } else { 1 };
            for part in list.split(',').take(count) {
                let word = part.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                next.insert(if names.contains(word) { word.to_owned() } else { "main".to_owned() });
            }
        }
        next.remove(&own);
    }
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 40, "the imports were not found: {imports:?}");
    assert_eq!(ringed(imports), BTreeMap::new(), "modules of xtask/src that need each other");
}

#[test]
fn no_files_of_the_page_import_each_other() {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in tracked().into_iter().filter(|name| name.starts_with("web/js/") && name.ends_with(".js")) {
        let text = read(&name);
        let quoted = ["from \"", "import \"", "import(\""].into_iter().flat_map(|before| text.split(before).skip(1));
        let next = imports.entry(name.clone()).or_default();
        for path in quoted.map(|rest| rest.split('"').next().unwrap()).filter(|path| path.starts_with('.')) {
            let folder = root().join(&name).parent().unwrap().to_path_buf();
            let file = folder.join(path).canonicalize().unwrap_or_else(|error| panic!("{name}: {path}: {error}"));
            next.insert(file.strip_prefix(root().canonicalize().unwrap()).unwrap().to_str().unwrap().to_owned());
        }
    }
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 150, "the imports were not found");
    assert_eq!(ringed(imports), BTreeMap::new(), "files of web/js that need each other");
}

#[test]
fn links_in_documents_lead_somewhere() {
    for name in tracked().iter().filter(|name| name.ends_with(".md") && !name.contains("vendor/")) {
        let text = read(name);
        let folder = root().join(name).parent().unwrap().to_path_buf();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split(['#', ' ']).next().unwrap();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            assert!(folder.join(path).exists(), "{name}: the link to {path} leads nowhere");
        }
    }
}
