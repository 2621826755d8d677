//! `callervault import`: calls from JSON lines, tables and workbooks, through the same intake as everybody's.

mod chain;
mod count;
mod dates;
mod encoding;
mod explain;
mod feed;
mod flow;
mod halt;
mod lines;
mod map;
mod mapping;
mod mend;
mod past;
mod quotes;
mod record;
mod row;
mod sheet;
mod source;
mod table;
mod take;
mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::SignalKind;

use self::count::{Count, Lists, is_list};
use self::dates::Dates;
use self::feed::WriteBad;
use self::halt::Halt;
use self::map::{Format, Map, Unknown};
use self::mapping::Mapping;
use self::source::{Reading, Source};
use self::take::{Server, Taker};
use super::opener::OpenerFrom;
use super::passphrase::secret_file;
use super::server::Reach;
use super::{Done, Failure, Where, aside, runtime, unlocked};
use crate::vault::life::open::Running;
use crate::vault::life::rules::Declared;
use crate::vault::{Session, Vault};

/// How long the process waits, at its end, for work that was begun.
const LEEWAY: Duration = Duration::from_secs(2);

/// Import calls from files: JSON lines, CSV or XLSX. A record whose id was imported before is not imported again.
#[derive(Args)]
#[command(mut_args(|arg| match arg.get_id().as_str() {
    "token_file" => arg
        .help("File with the token of an agent of the hotline centre, mode 0600. The log names this agent for the import")
        .required_unless_present_any(["dry_run", "explain"]),
    // With a passphrase the first alone would be passed over, because the other excludes it.
    "url" | "ca" => arg
        .requires("server")
        .conflicts_with_all(["passphrase_file", "passphrase_fd", "share_files", "share_fd"]),
    _ => arg,
}))]
pub(super) struct Import {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// Send the calls to the running server at --url, instead of opening the vault here. Its limits apply.
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd", "share_files", "share_fd"])]
    server: bool,
    #[command(flatten)]
    reach: Reach,
    /// Map of columns, labels, date formats and time zone (docs/import.md) [default: the map that CallerVault ships].
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Propose a map for this file from its columns or keys; import nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["map", "files", "dry_run"])]
    explain: Option<PathBuf>,
    /// Check every record; import nothing. Needs neither passphrase nor token.
    #[arg(long)]
    dry_run: bool,
    /// Format of the files, if their names do not show it.
    #[arg(long)]
    format: Option<Format>,
    /// Encoding of text (utf-8, gb18030, utf-16le …), if it is not detected.
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Time zone of times without an offset: Asia/Shanghai or +08:00.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    zone: Option<String>,
    /// Sheet of a workbook, if more than one has cells.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// What to do with columns and keys that the map does not name.
    #[arg(long)]
    unknown: Option<Unknown>,
    /// Also write the rejected lines, to be corrected.
    #[arg(long, value_name = "HOW")]
    write_bad: Option<WriteBad>,
    /// Open the lines of a list that --write-bad sealed wrote; import nothing. The log names who opened them.
    #[arg(long, value_name = "LIST", conflicts_with_all = ["explain", "files", "dry_run", "server"])]
    open_bad: Option<PathBuf>,
    /// File for the opened lines, made with mode 0600; - is standard output [default: LIST with .mend.jsonl for .bad.jsonl].
    #[arg(long, value_name = "FILE", requires = "open_bad")]
    out: Option<PathBuf>,
    /// Write the lists to this directory instead of next to the file.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Files to import; - is standard input.
    #[arg(required_unless_present_any = ["explain", "open_bad"])]
    files: Vec<PathBuf>,
}

impl Import {
    pub(super) fn run(self) -> Done {
        let map = self.read_map()?;
        let reading = self.reading(&map)?;
        if let Some(path) = &self.explain {
            let declared = Arc::new(Declared::read(&self.place.places())?);
            return explain::explain(&Source::new(path), &reading, map, declared);
        }
        if self.write_bad == Some(WriteBad::Sealed) && (self.dry_run || self.server) {
            let words = "--write-bad sealed needs the keys of the vault, which --server and --dry-run do not open\n  leave them out, or give \
                         --write-bad values-left-out";
            return Err(Failure::usage(words));
        }
        let runtime = runtime()?;
        let done = runtime.block_on(async {
            let (taker, declared) = self.taker().await?;
            if let (Some(list), Taker::Vault { vault, session }) = (&self.open_bad, &taker) {
                return mend::open(vault, session, list, &mend::Out::new(self.out.as_deref(), list)?).await;
            }
            let mapping = Arc::new(self.mapping(map, declared)?);
            self.take_files(&Arc::new(taker), &mapping, &reading).await
        });
        // A request that a second signal left behind does not keep the process from ending.
        runtime.shutdown_timeout(LEEWAY);
        done
    }

    fn read_map(&self) -> Result<Map, Failure> {
        let mut map = self.map.as_deref().map_or_else(Map::usual, Map::read)?;
        map.unknown = self.unknown.unwrap_or(map.unknown);
        Ok(map)
    }

    fn reading(&self, map: &Map) -> Result<Reading, Failure> {
        let named = self.encoding.as_deref().map(map::encoding).transpose()?;
        Ok(Reading {
            format: self.format.or(map.format),
            encoding: named.map_or_else(|| map.encoding(), |named| Ok(Some(named)))?,
            delimiter: map.delimiter,
            sheet: self.sheet.clone().or_else(|| map.sheet.clone()),
            header: map.header,
        })
    }

    fn mapping(&self, map: Map, declared: Arc<Declared>) -> Result<Mapping, Failure> {
        let zone = self.zone.as_deref().map(dates::zone).transpose()?;
        let zone = zone.map_or_else(|| map.zone(), |zone| Ok(Some(zone)))?;
        let dates = Dates::new(&map.dates, zone);
        Mapping::new(map, self.map.is_none(), dates, declared)
    }

    async fn taker(&self) -> Result<(Taker, Arc<Declared>), Failure> {
        let places = self.place.places();
        let Some(token) = self.reach.token_file.as_deref().filter(|_| !self.dry_run) else {
            let declared = Arc::new(Declared::read(&places)?);
            return Ok((Taker::Dry(Arc::clone(&declared)), declared));
        };
        if self.server {
            let server = Server {
                client: self.reach.client()?,
                token: secret_file(token)?,
            };
            return Ok((Taker::Server(Arc::new(server)), Arc::new(Declared::read(&places)?)));
        }
        let opener = self.opener.read()?;
        let token = secret_file(token)?;
        let running = Running {
            limited: false,
            ..Running::patient()
        };
        let vault = unlocked(&places, &opener, ("import", "import"), running).await?;
        let request = vault.new_request().map_err(Failure::unavailable)?;
        let session = vault.authenticate(&token, request).await?;
        let declared = Arc::new(Declared::of(&vault));
        let vault = Arc::new(vault);
        Ok((
            Taker::Vault {
                vault,
                session: Box::new(session),
            },
            declared,
        ))
    }

    /// The files without lists of earlier runs, which a pattern such as *.jsonl has among them.
    fn sources(&self) -> Result<Vec<Source>, Failure> {
        let (listed, files): (Vec<_>, Vec<_>) = self.files.iter().partition(|path| is_list(path));
        for path in listed {
            aside(format!("{}: skipped, as the list of an earlier run", path.display()));
        }
        if files.is_empty() {
            return Err(Failure::usage(
                "there is no file to import besides lists of earlier runs",
            ));
        }
        Ok(files.into_iter().map(|path| Source::new(path)).collect())
    }

    async fn take_files(&self, taker: &Arc<Taker>, mapping: &Arc<Mapping>, reading: &Reading) -> Done {
        let lists = Lists {
            directory: self.lists.clone(),
            bad: self.write_bad.is_some(),
            dry: self.dry_run,
        };
        // Signals are heard before the first byte is read.
        let halt = Halt::on(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]);
        let sources = self.sources()?;
        lists.check(&sources)?;
        let mut rejected = 0;
        for source in sources {
            if halt.is_told() {
                let words = format!(
                    "stopped by a signal before {}\n  run it again with this file",
                    source.name()
                );
                return Err(Failure::unavailable(words));
            }
            let fed = (source.clone(), self.write_bad, halt.clone());
            let mut count = take_file(taker, mapping, reading, fed).await?;
            let named = |failure: Failure| Failure::new(failure.code, format!("{}: {failure}", source.name()));
            count.unread = count.unread.take().map(named);
            let reported = lists.report(&source, &count);
            rejected += count.rejections();
            count.ended()?;
            reported?;
        }
        if rejected == 0 {
            Ok(())
        } else {
            Err(Failure::check_failed(format!("{rejected} lines were rejected")))
        }
    }
}

async fn take_file(
    taker: &Arc<Taker>,
    mapping: &Arc<Mapping>,
    reading: &Reading,
    (source, bad, halt): (Source, Option<WriteBad>, Halt),
) -> Result<Count, Failure> {
    let bar = ProgressBar::new(source.length());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta} left") {
        bar.set_style(style);
    }
    let fed = feed::begin(source, reading.clone(), Arc::clone(mapping), bar.clone(), bad)?;
    let count = flow::run(Arc::clone(taker), fed, halt).await;
    bar.finish_and_clear();
    Ok(count)
}

/// Takes lines in that the program ships with.
pub(super) async fn shipped(vault: &Arc<Vault>, session: &Session, lines: &'static str) -> Result<Count, Failure> {
    let map = Map::usual()?;
    let dates = Dates::new(&map.dates, None);
    let mapping = Mapping::new(map, true, dates, Arc::new(Declared::of(vault)))?;
    let reading = Reading {
        format: Some(Format::Jsonl),
        encoding: None,
        delimiter: None,
        sheet: None,
        header: 1,
    };
    let (vault, session) = (Arc::clone(vault), session.clone());
    let fed = feed::begin(
        Source::Shipped(lines),
        reading,
        Arc::new(mapping),
        ProgressBar::hidden(),
        None,
    )?;
    let halt = Halt::on(&[SignalKind::interrupt(), SignalKind::terminate()]);
    Ok(flow::run(
        Arc::new(Taker::Vault {
            vault,
            session: Box::new(session),
        }),
        fed,
        halt,
    )
    .await)
}
