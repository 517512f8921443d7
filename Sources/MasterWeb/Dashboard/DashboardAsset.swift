internal import Crypto
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// The style sheet, the script and the icon of the dashboard.
enum DashboardAsset: String, CaseIterable {
    case style = "style.css"
    case script = "script.js"
    case icon = "icon.svg"

    init?(_ path: [String]) {
        guard path.count == 1, let asset = Self(rawValue: path[0]) else { return nil }
        self = asset
    }

    /// The address, which changes with the content, so that browsers can keep it.
    func address(_ site: WebSite) -> String {
        "\(site.home)\(rawValue)?v=\(Self.versions[self] ?? "")"
    }

    private static let versions = Dictionary(
        uniqueKeysWithValues: allCases.map { asset in
            let digest = SHA256.hash(data: Array(asset.content.utf8)).prefix(6)
            return (asset, digest.map { String($0, radix: 16) }.joined())
        })

    var response: Response {
        Response(
            status: .ok,
            headers: [
                .contentType: mediaType, .cacheControl: "public, max-age=31536000, immutable",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: content)))
    }

    private var mediaType: String {
        switch self {
        case .style: "text/css; charset=utf-8"
        case .script: "text/javascript; charset=utf-8"
        case .icon: "image/svg+xml"
        }
    }

    private var content: String {
        switch self {
        case .style: Self.styleSheet
        case .script: Self.scriptText
        case .icon:
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" \
            height="32" rx="6" fill="#1f5f99"/><path d="M8 16l6 6 10-12" fill="none" \
            stroke="#fff" stroke-width="4"/></svg>
            """
        }
    }

    private static let styleSheet = """
        :root{color-scheme:light dark;--back:#fff;--raised:#f4f6f8;--text:#1b2026;--dim:#56606b;\
        --line:#d5dbe1;--link:#0a5aa8;--focus:#0a5aa8;--success:#1a7037;--warnings:#8a5a00;\
        --failure:#b3261e;--running:#0a5aa8;--other:#59636e;--onbadge:#fff;\
        --magenta:#8a2a8f;--cyan:#0b6570}
        @media (prefers-color-scheme:dark){:root{--back:#14181d;--raised:#1d232a;--text:#e4e8ec;\
        --dim:#a3adb8;--line:#36404a;--link:#7cb9f5;--focus:#7cb9f5;--success:#6fcf8a;\
        --warnings:#e6b84d;--failure:#ff8f86;--running:#7cb9f5;--other:#a9b3bd;--onbadge:#10151a;\
        --magenta:#e29af0;--cyan:#6fd0dc}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);\
        font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
        header,main,footer{max-width:75rem;margin:auto;padding:.75rem 1rem}
        header{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:center;\
        border-bottom:1px solid var(--line)}
        nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}
        .brand{font-weight:700;color:var(--text);text-decoration:none}
        .user{margin:0 0 0 auto;display:flex;gap:.5rem;align-items:center}
        a{color:var(--link)}
        nav a{padding:.35rem 0;text-decoration:none}
        nav a:hover,nav a[aria-current]{text-decoration:underline;text-underline-offset:.3em}
        :focus-visible{outline:3px solid var(--focus);outline-offset:2px}
        main:focus{outline:none}
        .skip{position:absolute;left:-99rem}
        .skip:focus{left:1rem;top:.5rem;background:var(--back);padding:.5rem;z-index:1}
        h1{font-size:1.5rem;margin:.5rem 0}
        h2{font-size:1.15rem;margin:1.25rem 0 .5rem}
        footer{color:var(--dim);border-top:1px solid var(--line);margin-top:2rem;\
        display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 1rem}
        .table{overflow-x:auto;margin:.75rem 0}
        table{border-collapse:collapse;width:100%}
        caption{text-align:left;color:var(--dim);padding:.25rem 0}
        th,td{text-align:left;padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);\
        vertical-align:top;font-weight:400;min-width:3rem;overflow-wrap:break-word}
        thead th{color:var(--dim)}
        tbody th{font-weight:600}
        :is(#builders,#workers,#schedulers) tbody th{overflow-wrap:anywhere;min-width:6rem}
        .wide{min-width:12rem}
        .dim,.line{color:var(--dim)}
        .tag{display:inline-block;font-size:.8rem;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;\
        margin-left:.4rem;color:var(--dim);font-weight:400;text-decoration:none}
        .badge,.chip{display:inline-block;border-radius:.3rem;padding:0 .5rem;font-size:.9rem;\
        background:var(--other);color:var(--onbadge);white-space:nowrap;text-decoration:none}
        .chips{display:flex;flex-wrap:wrap;gap:.3rem}
        .chip{min-width:2.75rem;min-height:1.5rem;text-align:center}
        .badge.success,.chip.success{background:var(--success)}
        .badge.warnings,.chip.warnings{background:var(--warnings)}
        .badge.failure,.chip.failure,.badge.exception,.chip.exception{background:var(--failure)}
        .badge.running,.chip.running{background:var(--running)}
        .chip.success::before{content:"✓ "}
        .chip.warnings::before{content:"! "}
        .chip.failure::before,.chip.exception::before{content:"✗ "}
        .chip.skipped::before{content:"- "}
        .chip.retry::before{content:"↻ "}
        .chip.cancelled::before{content:"⊘ "}
        .chip.running::before{content:"● "}
        @media (forced-colors:active){.badge,.chip{border:1px solid}}
        dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:.5rem 1.5rem}
        dt{color:var(--dim);font-size:.9rem}
        dd{margin:0}
        .comment{white-space:pre-wrap}
        .files{padding-left:1.25rem}
        .steps{list-style:none;padding:0;margin:0}
        .steps li{border-bottom:1px solid var(--line);padding:.5rem 0}
        .step,.links{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline}
        .links{font-size:.95rem}
        .log{background:var(--raised);border:1px solid var(--line);border-radius:.4rem;\
        padding:.75rem;overflow:auto;max-height:75vh;font:13px/1.45 ui-monospace,monospace;\
        white-space:pre-wrap}
        .tail,.excerpt{max-height:16rem}
        .excerpt{margin:.5rem 0 .25rem}
        .tail:empty{display:none}
        .log .e{color:var(--failure)}
        .log .h{color:var(--running)}
        .log .bold{font-weight:700}
        .log .italic{font-style:italic}
        .log .underline{text-decoration:underline}
        .text0,.text7{color:var(--dim)}
        .text1{color:var(--failure)}
        .text2{color:var(--success)}
        .text3{color:var(--warnings)}
        .text4{color:var(--running)}
        .text5{color:var(--magenta)}
        .text6{color:var(--cyan)}
        .back0,.back1,.back2,.back3,.back4,.back5,.back6,.back7{color:var(--onbadge)}
        .back0,.back7{background:var(--other)}
        .back1{background:var(--failure)}
        .back2{background:var(--success)}
        .back3{background:var(--warnings)}
        .back4{background:var(--running)}
        .back5{background:var(--magenta)}
        .back6{background:var(--cyan)}
        .actions,.search{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.75rem 0}
        td .actions{margin:0}
        .action{margin:0}
        button,.button{font:inherit;background:var(--raised);color:var(--text);\
        border:1px solid var(--dim);border-radius:.35rem;padding:.3rem .8rem;min-height:2.2rem;\
        cursor:pointer;text-decoration:none;display:inline-block}
        input,select,textarea{font:inherit;color:var(--text);background:var(--back);\
        border:1px solid var(--dim);border-radius:.35rem;padding:.35rem .5rem;max-width:100%}
        .fields{display:grid;gap:.35rem;max-width:32rem;justify-items:start}
        .fields fieldset{display:grid;gap:.35rem;width:100%;border:1px solid var(--line);\
        border-radius:.35rem;margin:.75rem 0 0;justify-items:start}
        .fields legend{font-weight:600}
        .fields label{margin-top:.5rem;font-weight:600}
        .fields input:not([type=checkbox]),.fields select,.fields textarea{width:100%}
        .fields button{margin-top:1rem}
        .fault{color:var(--failure);margin:.2rem 0}
        .hint{color:var(--dim);margin:.2rem 0}
        summary{cursor:pointer;padding:.4rem 0}
        @media (max-width:40rem){th,td{padding-right:.5rem}header,main,footer{padding:.6rem}}
        """

    private static let scriptText = #"""
        "use strict";
        (() => {
          // The addresses in reports are those of Buildbot's own page: #/builders/1/builds/2.
          const home = document.currentScript.src;
          const leave = () => {
            const place = location.hash.match(/^#\/([a-z]+(?:\/[\w.~%-]+)*)\/?$/);
            if (place) location.replace(new URL(place[1], home));
            return place;
          };
          addEventListener("hashchange", leave);
          if (leave()) return;

          const { socket, api, live } = document.body.dataset;
          const say = (text) => { document.getElementById("live").textContent = text; };
          // The login has ended, or what is shown has been removed.
          const refuse = () => say("Not live any more; load this page again.");
          const showTimes = (root) => {
            for (const time of root.querySelectorAll("time")) {
              const at = new Date(time.dateTime);
              if (!isNaN(at)) { time.title = time.textContent; time.textContent = at.toLocaleString(); }
            }
            for (const span of root.querySelectorAll("[data-seconds]")) {
              span.begun = Date.now() / 1000 - span.dataset.seconds;
            }
          };
          showTimes(document);

          // The text of a file can be read in place of being pasted.
          for (const area of document.querySelectorAll("[data-file]")) {
            const choice = document.createElement("input");
            choice.type = "file";
            choice.setAttribute("aria-label", "Read a file");
            choice.onchange = async () => {
              if (choice.files[0]) area.value = await choice.files[0].text();
            };
            area.before(choice);
          }

          // What runs takes longer by the second.
          const words = (total) => total < 1 ? "< 1 s" : total < 60 ? `${total} s`
            : total < 3600 ? `${Math.floor(total / 60)} min ${total % 60} s`
            : `${Math.floor(total / 3600)} h ${Math.floor(total / 60) % 60} min`;
          setInterval(() => {
            for (const span of document.querySelectorAll("[data-seconds]")) {
              span.textContent = words(Math.round(Date.now() / 1000 - span.begun));
            }
          }, 1000);

          const paths = live ? live.split(" ") : [];
          const logs = [...document.querySelectorAll("[data-log]")].map((view) => ({
            view, id: view.dataset.log, next: Number(view.dataset.next), busy: false, again: false,
            style: {},
          }));

          // Loads the page again, and takes over what has changed, unless somebody is using it.
          let timer = 0;
          const refresh = () => {
            if (timer) return;
            timer = setTimeout(async () => {
              timer = 0;
              try {
                const answer = await fetch(location.href, { headers: { accept: "text/html" } });
                if (!answer.ok || answer.redirected) return refuse();
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                showTimes(page);
                for (const old of document.querySelectorAll("[data-refresh]")) {
                  const fresh = page.getElementById(old.id);
                  if (!fresh || fresh.innerHTML === old.innerHTML) continue;
                  if (old.contains(document.activeElement)) { refreshLater = true; continue; }
                  old.innerHTML = "";
                  old.append(...fresh.childNodes);
                }
                const old = document.querySelector(".tail"), fresh = page.querySelector(".tail");
                if (old?.dataset.log !== fresh?.dataset.log) location.reload();
              } catch { say("The page could not be loaded again."); }
            }, 700);
          };
          let refreshLater = false;
          document.addEventListener("focusout", () => {
            if (refreshLater) { refreshLater = false; refresh(); }
          });

          // Adds the lines of a log that are new.
          const follow = async (log) => {
            if (log.busy) { log.again = true; return; }
            log.busy = true;
            try {
              for (;;) {
                const answer = await fetch(
                  `${api}logs/${log.id}/contents?offset=${log.next}&limit=1000`,
                  { headers: { accept: "application/json" } });
                if (!answer.ok) { refuse(); break; }
                const [chunk] = [(await answer.json()).logchunks].flat();
                const lines = chunk.content.split("\n");
                if (lines.at(-1) === "") lines.pop();
                if (!lines.length) break;
                log.next += lines.length;
                const view = log.view;
                const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 40;
                const added = document.createDocumentFragment();
                for (const line of lines) {
                  const span = document.createElement("span");
                  const kind = log.channels ? line[0] : "";
                  if (kind === "e" || kind === "h") span.className = kind;
                  if (kind === "h") log.style = {};
                  show(line.slice(kind.length), log.style, span);
                  added.append(span);
                }
                view.append(added);
                for (const count of document.querySelectorAll(`[data-count="${log.id}"]`)) {
                  count.textContent = log.next === 1 ? "1 line" : `${log.next} lines`;
                }
                const keep = Number(view.dataset.keep || 20000);
                while (view.childElementCount > keep) view.firstElementChild.remove();
                if (atEnd) view.scrollTop = view.scrollHeight;
                if (lines.length < 1000 && !log.again) break;
                log.again = false;
              }
            } catch { say("The log could not be read."); }
            log.busy = false;
          };

          // Adds a line as a terminal shows it, as TerminalLine does on the master.
          const show = (line, style, span) => {
            line = line.replace(/\r+$/, "");
            let from = 0, pieces = [];
            const add = (text) => {
              const end = text.lastIndexOf("\r");
              if (end >= 0) pieces = [];
              const shown = text.slice(end + 1);
              const names = classes(style);
              if (!shown) return;
              if (!names) { pieces.push(shown); return; }
              const piece = document.createElement("span");
              piece.className = names;
              piece.textContent = shown;
              pieces.push(piece);
            };
            for (const code of line.matchAll(codes)) {
              add(line.slice(from, code.index));
              from = code.index + code[0].length;
              if (code[2] === "m") choose(style, code[1].split(";").map((text) => parseInt(text) || 0));
            }
            add(line.slice(from));
            span.append(...pieces, "\n");
          };
          const codes = /\x1b(?:\[([ -?]*)([@-~]?)|[()].?|\][^\x07\x1b]*(?:\x07|\x1b.?)?)/g;
          const classes = ({ bold, italic, underlined, inverse, color, background }) => {
            const behind = background ?? (inverse ? color ?? 7 : null);
            return [
              bold && "bold", italic && "italic", underlined && "underline",
              behind != null ? `back${behind}` : color != null ? `text${color}` : "",
            ].filter(Boolean).join(" ");
          };
          const choose = (style, numbers) => {
            const takeColor = () => {
              if (numbers.shift() !== 5) { numbers.splice(0, 3); return null; }
              const number = numbers.shift();
              return number < 16 ? number % 8 : null;
            };
            while (numbers.length) {
              const number = numbers.shift(), ten = Math.floor(number / 10);
              if (number === 0) for (const name in style) delete style[name];
              else if (number === 1 || number === 22) style.bold = number === 1;
              else if (number === 3 || number === 23) style.italic = number === 3;
              else if (number === 4 || number === 24) style.underlined = number === 4;
              else if (number === 7 || number === 27) style.inverse = number === 7;
              else if (number === 38) style.color = takeColor();
              else if (number === 48) style.background = takeColor();
              else if (number === 39) style.color = null;
              else if (number === 49) style.background = null;
              else if ([3, 9].includes(ten) && number % 10 < 8) style.color = number % 10;
              else if ([4, 10].includes(ten) && number % 10 < 8) style.background = number % 10;
            }
          };

          if (!paths.length && !logs.length) return;
          let wait = 1000;
          // The same address tells why it takes no WebSocket.
          const explain = async () => {
            try {
              const answer = await fetch(socket);
              if (answer.headers.get("content-type")?.startsWith("text/plain")) {
                say(`Not live: ${await answer.text()}`);
              }
            } catch { say("Not live: the master can't be reached."); }
          };
          const connect = () => {
            const address = new URL(socket, location.href);
            address.protocol = address.protocol.replace("http", "ws");
            const connection = new WebSocket(address);
            let count = 0, isSilent = false;
            const send = (message) => connection.send(JSON.stringify({ ...message, _id: ++count }));
            const consume = (path) => send({ cmd: "startConsuming", path });
            // One that died while the computer slept, or behind a proxy, does not tell.
            const pulse = setInterval(() => {
              if (isSilent) { lose(); connection.close(); return; }
              isSilent = true;
              if (connection.readyState === WebSocket.OPEN) send({ cmd: "ping" });
            }, 20000);
            connection.onopen = async () => {
              wait = 1000;
              say("Live");
              paths.forEach(consume);
              // What has happened since the page was made was not heard of.
              if (paths.length) refresh();
              for (const log of logs) {
                consume(`logs/${log.id}/*`);
                const answer = await fetch(`${api}logs/${log.id}`,
                  { headers: { accept: "application/json" } });
                log.channels = answer.ok && (await answer.json()).logs[0].type === "s";
                log.ready = true;
                follow(log);
              }
            };
            connection.onmessage = ({ data }) => {
              isSilent = false;
              const { k } = JSON.parse(data);
              if (!k) return;
              const log = k.startsWith("logs/") && logs.find((log) => k.startsWith(`logs/${log.id}/`));
              if (log) { if (log.ready) follow(log); } else refresh();
            };
            const lose = () => {
              connection.onclose = null;
              clearInterval(pulse);
              if (wait > 2000) explain(); else say("Not live; connecting again …");
              setTimeout(connect, wait);
              wait = Math.min(wait * 2, 30000);
            };
            connection.onclose = lose;
          };
          for (const { view } of logs) view.scrollTop = view.scrollHeight;
          connect();
        })();
        """#
}
