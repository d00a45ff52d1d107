# Wheels that run on Lambda's x86_64: python3.13 there is Amazon Linux 2023, glibc 2.34.
UV_PLATFORM := x86_64-manylinux_2_28
PIP_PLATFORMS := manylinux_2_28_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64
