# Short names for what ./run does; ./run needs no make.
.DEFAULT_GOAL := help
.PHONY: help demo check fmt test ci ui migrate
help:    ## these lines
	@grep -E '^[a-z]+: ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12
demo:    ## the whole product on demo data
	./run
check:   ## style, types, import layers
	./run lint
fmt:     ## repair style
	./run fmt
test:    ## every test, browser tests included
	./run test
ci:      ## what CI runs
	.ci/run
ui:      ## build the web UI if it is stale
	.venv/bin/python booking/web/build.py
migrate: ## bring the database of DATABASE_URL up to date
	./run migrate
