// Pins one tool of the test bed; built by ../build.sh.
module ferrite.test/testbed/envsubst

go 1.26.0

require github.com/fluxcd/pkg/envsubst v1.7.0
