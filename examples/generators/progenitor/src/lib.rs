progenitor::generate_api!(spec = "progenitor.json", interface = Builder);
