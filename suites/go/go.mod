module dragoman.test/suites

go 1.24

require github.com/anthropics/anthropic-sdk-go/v2 v2.15.0
