extension DashboardAsset {
    static let styleSheet = """
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
        .excerpt{margin:.5rem 0 .25rem;display:flex;flex-direction:column-reverse}
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
}
