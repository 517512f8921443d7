extension DashboardAsset {
    static let scriptText = #"""
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

          // Of a log that is written faster than it can be shown, only the last lines are shown.
          const skip = async (log, keep) => {
            const answer = await fetch(`${api}logs/${log.id}`,
              { headers: { accept: "application/json" } });
            const total = answer.ok ? (await answer.json()).logs[0].num_lines : 0;
            if (total - log.next <= keep) return;
            log.next = total - Math.min(keep, 1000);
            log.isCut = true;
            log.style = {};
          };

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
                if (log.isCut) view.replaceChildren(added); else view.append(added);
                log.isCut = false;
                for (const count of document.querySelectorAll(`[data-count="${log.id}"]`)) {
                  count.textContent = log.next === 1 ? "1 line" : `${log.next} lines`;
                }
                const keep = Number(view.dataset.keep || 20000);
                while (view.childElementCount > keep) view.firstElementChild.remove();
                if (atEnd) view.scrollTop = view.scrollHeight;
                // Of long lines, an answer has fewer.
                const isPart = lines.length === 1000 || chunk.content.length > 1e6;
                if (!isPart && !log.again) break;
                log.again = false;
                if (isPart) await skip(log, keep);
              }
            } catch { say("The log could not be read."); }
            log.busy = false;
          };

          // Adds a line as a terminal shows it, as TerminalLine does on the master.
          const show = (line, style, span) => {
            let end = line.length;
            while (line[end - 1] === "\r") end -= 1;
            line = line.slice(0, end);
            let from = 0, shown = "", pieces = [];
            const add = (text) => {
              const start = text.lastIndexOf("\r") + 1;
              if (start) { pieces = []; shown = ""; }
              shown += text.slice(start);
            };
            const endPiece = () => {
              if (shown) pieces.push([shown, classes(style)]);
              shown = "";
            };
            for (const code of line.matchAll(codes)) {
              add(line.slice(from, code.index));
              from = code.index + code[0].length;
              if (code[2] === "m" && /^[\d;]*$/.test(code[1])) {
                endPiece();
                choose(style, code[1].split(";").map(Number).reverse());
              }
            }
            add(line.slice(from));
            endPiece();
            // As on the page of a log, which has the whole log as text.
            const text = pieces.map(([text]) => text).join("");
            if (text.length > 1000) pieces = [[`${text.slice(0, 1000)}…`, ""]];
            for (const [text, names] of pieces) {
              if (!names) { span.append(text); continue; }
              const piece = document.createElement("span");
              piece.className = names;
              piece.textContent = text;
              span.append(piece);
            }
            span.append("\n");
          };
          const codes = /\x1b(?:\[([ -?]*)([@-~]?)|[()][ -~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?)/g;
          const classes = ({ bold, italic, underlined, inverse, color, background }) => {
            const behind = background ?? (inverse ? color ?? 7 : null);
            return [
              bold && "bold", italic && "italic", underlined && "underline",
              behind != null ? `back${behind}` : color != null ? `text${color}` : "",
            ].filter(Boolean).join(" ");
          };
          // The first of the numbers is the last one here.
          const choose = (style, numbers) => {
            const takeColor = () => {
              if (numbers.pop() !== 5) { numbers.splice(-3); return null; }
              const number = numbers.pop();
              return number < 16 ? number % 8 : null;
            };
            while (numbers.length) {
              const number = numbers.pop(), ten = Math.floor(number / 10);
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
