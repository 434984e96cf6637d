"""One self-contained HTML page per run: verdicts, leader boards, figures, the machine and how to get it again."""
