//! Several nodes of the reference server on one PostgreSQL and one Redis, behind nginx.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::install::Needs;
use crate::processes::Running;
use crate::server::{self, Server};
use crate::services::{self, Services};
use crate::{node, paths, progress, tools};

pub const NEEDS: Needs = &[&services::Postgres, &tools::REDIS, &tools::NGINX, &node::Packages, &tools::WasmTarget];

/// Dropping it stops everything.
pub struct Nodes {
    // Fields are dropped in this order: no node outlives its database.
    proxy: Running,
    nodes: Vec<Node>,
    _services: Services,
}

struct Node {
    name: String,
    port: u16,
    recipe: Recipe,
    server: Server,
}

/// How to start it, again and again.
#[derive(Clone)]
struct Recipe {
    executable: PathBuf,
    flags: Vec<String>,
}

impl Nodes {
    /// Starts `count` nodes that serve the page `www`, and nginx on `port` before them.
    pub fn start(executable: &Path, count: u8, port: u16, www: &Path) -> Result<Self> {
        let services = Services::start("demo-services")?;
        let shared = ["--database", &services.postgres, "--redis", &services.redis, "--secret", SECRET, "--www"];
        let mut nodes = Vec::new();
        for letter in ('a'..).take(count.into()) {
            let name = letter.to_string();
            let www = www.to_str().context("the path of the page is no Unicode")?;
            let flags = shared.iter().copied().chain([www, "--node", &name]).map(str::to_owned).collect();
            let recipe = Recipe { executable: executable.to_owned(), flags };
            let port = server::free_port(port.wrapping_add(1).max(1024))?;
            nodes.push(Node { name, port, server: recipe.start(port)?, recipe });
        }
        let proxy = start_nginx(port, &nodes)?;
        Ok(Self { proxy, nodes, _services: services })
    }

    /// What a person may kill.
    pub fn processes(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| format!("node {}: port {}, process {}", node.name, node.port, node.server.id()))
    }

    /// Starts nodes again that have ended, as a supervisor does, until nginx ends, which it should not.
    pub fn supervise(mut self) -> Result<()> {
        let nodes = &mut self.nodes;
        let status = self.proxy.wait(|| nodes.iter_mut().try_for_each(Node::revive))?;
        bail!("nginx ended by itself ({status})")
    }
}

impl Node {
    fn revive(&mut self) -> Result<()> {
        if self.server.has_ended()? {
            progress::say(format!("node {} has ended; it starts again in {} s", self.name, DOWN.as_secs()));
            std::thread::sleep(DOWN);
            self.server = self.recipe.start(self.port)?;
            progress::say(format!("node {} is there again: process {}", self.name, self.server.id()));
        }
        Ok(())
    }
}

impl Recipe {
    fn start(&self, port: u16) -> Result<Server> {
        Server::start_with(&self.executable, port, &self.flags)
    }
}

/// nginx without TLS, and with the control endpoints, which production has not; docs/deploy/nginx.conf is for that.
fn start_nginx(port: u16, nodes: &[Node]) -> Result<Running> {
    let directory = paths::scratch()?.join("demo-nginx");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("nginx.conf");
    std::fs::write(&file, configuration(port, &nodes.iter().map(|node| node.port).collect::<Vec<_>>(), &directory))?;
    let mut command = Command::new(tools::NGINX.find()?);
    command.arg("-p").arg(&directory).arg("-e").arg(directory.join("error.log")).arg("-c").arg(&file);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut running = Running::start(&mut command).context("starting nginx")?;
    let deadline = Instant::now() + START_LIMIT;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let log = directory.join("error.log");
        ensure!(running.try_wait()?.is_none(), "nginx ended at once; its log is {}", log.display());
        ensure!(Instant::now() < deadline, "nginx does not listen; its log is {}", log.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(running)
}

fn configuration(port: u16, nodes: &[u16], directory: &Path) -> String {
    let directory = directory.display();
    let servers = |order: &mut dyn Iterator<Item = &u16>| {
        order.map(|port| format!("server 127.0.0.1:{port} max_fails=0; ")).collect::<String>()
    };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {directory}/{name}; ")).concat();
    // A control endpoint acts on the connections of its own node; those of a user may be at any.
    let others = nodes.iter().skip(1);
    let mirrors = others.clone().map(|port| format!("mirror /node/{port}; ")).collect::<String>();
    let mirrored = others.map(|port| {
        format!(
            "location = /node/{port} {{ internal; proxy_pass http://127.0.0.1:{port}$request_uri; proxy_connect_timeout 1s; }}\n"
        )
    });
    format!(
        "daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\nevents {{ worker_connections 1024; }}\n\
         http {{\n{temporary}\naccess_log off;\n\
         map $http_upgrade $connection_upgrade {{ default upgrade; \"\" \"\"; }}\n\
         upstream nodes {{ least_conn; {all} }}\n\
         upstream first {{ server 127.0.0.1:{first} max_fails=0; }}\n\
         server {{\nlisten 127.0.0.1:{port};\nproxy_http_version 1.1;\nproxy_buffering off;\nproxy_set_header Host $http_host;\n\
         proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection $connection_upgrade;\nproxy_connect_timeout 2s;\n\
         proxy_next_upstream error timeout http_503;\nproxy_read_timeout 75s;\nclient_body_buffer_size 1m;\n\
         error_log {directory}/error.log crit;\n\
         location / {{ proxy_pass http://nodes; }}\n\
         location ~ ^/dev/(drop|silent|refuse|fail-pushes)$ {{ {mirrors}proxy_pass http://first; }}\n\
         {mirrored}}}\n}}\n",
        all = servers(&mut nodes.iter()),
        first = nodes.first().copied().unwrap_or_default(),
        mirrored = mirrored.collect::<String>(),
    )
}

/// Tokens have to be taken by each node, and outlive its restart.
const SECRET: &str = "the secret of a demo, known to everyone";
const DOWN: Duration = Duration::from_secs(2);
const START_LIMIT: Duration = Duration::from_secs(10);
