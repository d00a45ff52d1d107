# Wheels that run on Lambda's arm64: python3.13 there is Amazon Linux 2023, glibc 2.34.
UV_PLATFORM := aarch64-manylinux_2_28
PIP_PLATFORMS := manylinux_2_28_aarch64 manylinux_2_17_aarch64 manylinux2014_aarch64
