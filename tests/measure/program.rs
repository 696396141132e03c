//! The program: start to ready, resident memory when idle, size.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tilld_tests::process::{self, program};

use crate::disk;
use crate::figures::{quantile, us};

/// How many starts are timed.
const STARTS: usize = 40;

pub fn starts(finperks: &str) {
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..STARTS {
        let folder = tempfile::tempdir_in(disk::folder()).unwrap();
        let config = configure(folder.path(), finperks);
        let begun = Instant::now();
        let (running, address) = process::serve(Command::new(program()), &config);
        address.expect("the daemon becomes ready");
        times.push(begun.elapsed());
        if times.len() == STARTS {
            std::thread::sleep(Duration::from_secs(2));
            resident = resident_kib(running.0.id());
        }
    }
    let size = std::fs::metadata(program()).unwrap().len();
    println!("the program");
    println!(
        "  start to ready              p50 {:.1} ms, p99 {:.1} ms ({STARTS} starts, empty journal); wanted p50 under 50",
        us(quantile(&mut times, 500)) / 1000.0,
        us(quantile(&mut times, 990)) / 1000.0
    );
    println!("  idle resident memory        {:.1} MiB; wanted under 20", resident as f64 / 1024.0);
    println!("  release binary              {:.1} MB; wanted under 20", size as f64 / 1e6);
}

fn configure(folder: &Path, finperks: &str) -> PathBuf {
    let secret = folder.join("secret");
    std::fs::write(&secret, "sandbox-secret-0123456789abcdef").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = folder.join("tilld.toml");
    let text = format!(
        "till = {{ store = \"A1234\", terminal = \"T01\", country = \"DE\" }}\n\
         finperks = {{ url = \"{finperks}\", key_id = \"sandbox-key\", secret_file = \"{}\" }}\n\
         printer = {{ network = \"127.0.0.1:9\", columns = 42 }}\n\
         journal = {{ folder = \"{}\" }}\napi = {{ listen = \"127.0.0.1:0\" }}\n",
        secret.display(),
        folder.join("journal").display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
